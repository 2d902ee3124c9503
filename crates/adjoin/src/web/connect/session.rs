use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use secrecy::ExposeSecret as _;

use super::{
    cookies,
    pages::{Confirm, Done, Failure, Identity, Message, Waiting, render, unusable},
    see_other, session_path,
    start::to_facebook,
    words,
};
use crate::{
    id::ConnectSessionId,
    service::{
        App, Error,
        connect_sessions::{self, Browser, Kind, Progress, Stage, Waiting as WaitingFor},
    },
};

/// `GET /connect/s/{id}`: how the session stands.
pub async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some((id, cookie)) = known(&id, &headers) else { return Ok(unusable(&app)) };
    let progress = connect_sessions::progress(&app, &id, cookie.expose_secret()).await;
    let Some(progress) = progress.map_err(Failure::of(&app))? else { return Ok(unusable(&app)) };
    Ok(show(&app, &progress))
}

fn show(app: &App, progress: &Progress) -> Response {
    let ok = StatusCode::OK;
    let back = progress.return_url.as_deref();
    match &progress.session.stage {
        Stage::AtFacebook { .. } => render(app, ok, &Waiting { progress, at_facebook: true }, back, None),
        Stage::CodeHeld { .. } if progress.session.kind == Kind::Link => {
            render(app, ok, &Confirm { progress }, back, None)
        }
        // The partner's backend confirms, or Meta is being asked; the browser only waits.
        Stage::CodeHeld { .. } | Stage::Finishing { .. } => {
            render(app, ok, &Waiting { progress, at_facebook: false }, back, None)
        }
        Stage::OtherIdentity { before, now, .. } => {
            render(app, ok, &Identity { progress, before, now }, back, None)
        }
        Stage::Completed { .. } => render(app, ok, &Done { progress }, back, None),
        stage => render(app, ok, &message(progress, stage), back, None),
    }
}

/// The pages of sessions that did not come to anything.
fn message(progress: &Progress, stage: &Stage) -> Message {
    let page = match stage {
        Stage::Declined => Message {
            next_step: Some("Nothing was changed. Go on whenever you are ready.".to_owned()),
            ..Message::new(
                "note",
                "You did not agree at Facebook",
                "Facebook asked, and Cancel was pressed there.",
            )
        },
        Stage::Refused { refusal } => Message::refused(refusal, Some(&progress.parties.partner)),
        Stage::Expired { waiting_for: WaitingFor::Facebook } => Message {
            next_step: Some(format!(
                "Try again. If Facebook shows an error, tell {} what it says.",
                progress.parties.partner
            )),
            for_service: words::not_heard_back(progress.redirect_uri.as_deref()),
            ..Message::new(
                "warn",
                "We did not hear back from Facebook",
                "Facebook did not send you back here in time. Perhaps its window was closed, or it showed an error of \
                 its own. Nothing was changed.",
            )
        },
        Stage::Expired { waiting_for: WaitingFor::Confirmation } => Message {
            next_step: Some("Start again; Facebook usually does not ask twice.".to_owned()),
            ..Message::new(
                "warn",
                "The confirmation came too late",
                "You agreed at Facebook, and nobody confirmed it here within two minutes. What Facebook gave us was \
                 thrown away unused.",
            )
        },
        _ => Message {
            next_step: Some("Ask for a new link where you got this one.".to_owned()),
            ..Message::new("warn", "This link was ended", "Nothing was changed.")
        },
    };
    let again = format!("{}/start", session_path(&progress.session.id));
    Message {
        parties: Some(progress.parties.clone()),
        again: progress.may_restart.then_some((again, "Try again at Facebook")),
        back: progress.return_url.clone(),
        ..page
    }
}

/// `POST /connect/s/{id}/start`: to Facebook once more.
pub async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some((id, cookie)) = known(&id, &headers) else { return Ok(unusable(&app)) };
    let browser = Browser::WithCookie { id: &id, cookie: cookie.expose_secret() };
    let started = connect_sessions::start(&app, browser).await.map_err(Failure::of(&app))?;
    Ok(started.as_ref().map_or_else(|| unusable(&app), to_facebook))
}

/// `POST /connect/s/{id}/confirm`: the press that lets the code be used.
pub async fn confirm(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some((id, cookie)) = known(&id, &headers) else { return Ok(unusable(&app)) };
    let finished = connect_sessions::confirm(&app, &id, cookie.expose_secret()).await.map(drop);
    to_session(&app, &id, finished)
}

/// `POST /connect/s/{id}/accept`: another person or business may stand behind the connection.
pub async fn accept(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some((id, cookie)) = known(&id, &headers) else { return Ok(unusable(&app)) };
    let accepted = connect_sessions::accept_by_browser(&app, &id, cookie.expose_secret()).await.map(drop);
    to_session(&app, &id, accepted)
}

/// Back to the session's page, which tells how it stands: a refusal is recorded there, and a second press finds what
/// the first did. Only what the session cannot tell is shown at once.
fn to_session(app: &App, id: &ConnectSessionId, outcome: Result<(), Error>) -> Result<Response, Failure> {
    match outcome {
        Ok(()) | Err(Error::NotReady { .. } | Error::Conflict { .. }) => Ok(see_other(&session_path(id))),
        Err(error) => Err(Failure::of(app)(error)),
    }
}

fn known(id: &str, headers: &HeaderMap) -> Option<(ConnectSessionId, secrecy::SecretString)> {
    let id = id.parse().ok()?;
    let cookie = cookies::of(headers, &id)?;
    Some((id, cookie))
}
