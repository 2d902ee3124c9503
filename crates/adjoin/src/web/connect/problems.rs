//! Answers of Facebook's that belong to no session of this browser. Each has an address of its own, without anything
//! Facebook sent in it.

use adjoin_marketing::dialog;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    pages::{Failure, Message, render, unusable},
    words,
};
use crate::service::{
    App, Who,
    connect_sessions::{Problem, Refusal},
    settings::{self, ServiceOrigin},
    setup,
};

const REFUSED: &str = "refused";

/// The last part of the problem's address.
pub fn slug(problem: Problem) -> String {
    match problem {
        Problem::OtherPartner => "other-partner".to_owned(),
        Problem::NothingThere => "nothing-there".to_owned(),
        Problem::StateMissing => "state-missing".to_owned(),
        Problem::StateUnknown => "state-unknown".to_owned(),
        Problem::StateUsed => "state-used".to_owned(),
        Problem::StateLate => "state-late".to_owned(),
        Problem::OtherBrowser => "other-browser".to_owned(),
        Problem::SessionEnded => "session-ended".to_owned(),
        Problem::Declined => "declined".to_owned(),
        Problem::Refused { error: Some(error), .. } => format!("{REFUSED}-{error}"),
        Problem::Refused { code: Some(code), error: None } => format!("{REFUSED}-{code}"),
        Problem::Refused { code: None, error: None } => REFUSED.to_owned(),
    }
}

/// Reads a slug back; `None` for one we never make.
fn problem(slug: &str) -> Option<Problem> {
    let plain = [
        Problem::OtherPartner,
        Problem::NothingThere,
        Problem::StateMissing,
        Problem::StateUnknown,
        Problem::StateUsed,
        Problem::StateLate,
        Problem::OtherBrowser,
        Problem::SessionEnded,
        Problem::Declined,
        Problem::Refused { code: None, error: None },
    ];
    plain.into_iter().find(|problem| self::slug(*problem) == slug).or_else(|| {
        let why = slug.strip_prefix(REFUSED)?.strip_prefix('-')?;
        let mut errors = dialog::refusals().iter().filter_map(|row| row.error.as_deref());
        let error = errors.find(|error| *error == why);
        let code = why.parse().ok();
        (error.is_some() || code.is_some()).then_some(Problem::Refused { code, error })
    })
}

/// `GET /connect/problem/{slug}`
pub async fn page(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, Failure> {
    let Some(problem) = problem(&slug) else { return Ok(unusable(&app)) };
    let redirect_uri = redirect_uri(&app).await.map_err(Failure::of(&app))?;
    let (status, page) = explained(problem, redirect_uri.as_deref());
    Ok(render(&app, status, &page, None, None))
}

/// The redirect URI that Facebook is told now.
async fn redirect_uri(app: &App) -> crate::service::Result<Option<String>> {
    let settings = settings::get(app).await?;
    let setup = setup::get(app).await?;
    Ok(ServiceOrigin::of(app, &settings).map(|origin| origin.used_redirect_uri(&settings, setup.as_ref())))
}

fn explained(problem: Problem, redirect_uri: Option<&str>) -> (StatusCode, Message) {
    let again = "Open your connect link once more, or ask for a new one where you got it.";
    let page = |title: &str, text: &str, who: Who, next_step: &str| Message {
        who: Some(who),
        next_step: Some(next_step.to_owned()),
        ..Message::new("warn", title, text)
    };
    let bad = StatusCode::BAD_REQUEST;
    match problem {
        Problem::Declined => {
            let known = dialog::explain(Some("access_denied"), None);
            let next = "Nothing was changed. Open your connect link again whenever you are ready.";
            (StatusCode::OK, page(&known.title, &known.what, known.who, next))
        }
        Problem::Refused { code, error } => {
            let refusal = Refusal::of(dialog::explain(error, code), code, redirect_uri);
            (StatusCode::OK, Message::refused(&refusal, None))
        }
        Problem::OtherPartner => (bad, Message::refused(&other_address(), None)),
        Problem::NothingThere => (
            bad,
            Message {
                for_service: words::not_heard_back(redirect_uri),
                ..page(
                    "There is nothing from Facebook here",
                    "This address is where Facebook sends people back to. You came without an answer of Facebook's.",
                    Who::Account,
                    "Open your connect link once more. If Facebook shows an error, tell whoever sent you the link \
                     what it says.",
                )
            },
        ),
        Problem::StateMissing => (
            bad,
            page(
                "The answer cannot be tied to your visit",
                "Facebook's answer came without the mark that we sent along. It was not used.",
                Who::Account,
                again,
            ),
        ),
        Problem::StateUnknown => (
            bad,
            page(
                "We do not know this visit",
                "The answer belongs to no visit that is under way here; perhaps you began once more in another tab. \
                 It was not used.",
                Who::Account,
                again,
            ),
        ),
        Problem::StateUsed => (
            bad,
            page(
                "This answer was used already",
                "Each answer of Facebook's is taken once. Going back or loading the page anew does not repeat it.",
                Who::Account,
                again,
            ),
        ),
        Problem::StateLate => (
            bad,
            page(
                "The answer came too late",
                "Between the press here and Facebook's answer there may be ten minutes.",
                Who::Account,
                again,
            ),
        ),
        Problem::OtherBrowser => (
            bad,
            page(
                "This is not the browser you began with",
                "Facebook's answer is taken only in the browser, and the window mode, in which the connect link was \
                 opened. It was thrown away unused.",
                Who::Account,
                "Open your connect link anew and go all the way in one browser, with cookies allowed.",
            ),
        ),
        Problem::SessionEnded => (
            bad,
            page(
                "This link has ended",
                "It was ended or completed while you were at Facebook.",
                Who::Account,
                again,
            ),
        ),
    }
}

fn other_address() -> Refusal {
    Refusal {
        code: None,
        title: "This answer is for another address".to_owned(),
        message: "Facebook sent the person back to an address that is not the one they left from.".to_owned(),
        who: Who::Partner,
        next_step:
            "Compare the redirect URI in the Meta app with the one at Connectors > Setup, character by \
                    character."
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_an_address_that_leads_back_to_it() {
        for code in [None, Some(1_349_168), Some(-1)] {
            let it = Problem::Refused { code, error: None };
            assert_eq!(problem(&slug(it)), Some(it));
        }
        let failed = Problem::Refused { code: None, error: Some("server_error") };
        assert_eq!(slug(failed), "refused-server_error");
        for it in [failed, Problem::StateLate, Problem::OtherBrowser, Problem::Declined] {
            assert_eq!(problem(&slug(it)), Some(it));
        }
        assert!(problem("refused-<script>").is_none());
        assert!(problem("else").is_none());
    }
}
