use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret as _;

use super::{
    cookies,
    pages::{Failure, Start, render, unusable},
    see_other, session_path,
};
use crate::{
    service::{
        App, Who,
        connect_sessions::{self, Browser, Kind, Opened, Started},
    },
    web::problem::Problem,
};

/// `GET /connect/{token}`
pub async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let opened = connect_sessions::open(&app, &token, &cookies::read(&headers)).await;
    let invitation = match opened.map_err(Failure::of(&app))? {
        Some(Opened::Invitation(invitation)) => invitation,
        Some(Opened::Taken(id)) => return Ok(see_other(&session_path(&id))),
        None => return Ok(unusable(&app)),
    };
    let return_url = match &invitation.session.kind {
        Kind::Embedded { return_url, .. } => Some(return_url.as_str()),
        Kind::Link => None,
    };
    let page = Start {
        invitation: &invitation,
        path: &format!("/connect/{token}"),
        framed: is(&headers, "sec-fetch-dest", "iframe"),
        phone: is_phone(&headers),
    };
    Ok(render(&app, StatusCode::OK, &page, return_url, invitation.frame_origin.as_deref()))
}

/// `POST /connect/{token}/start`
pub async fn start(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Failure> {
    let browser = Browser::WithLink { token: &token };
    let started = connect_sessions::start(&app, browser).await.map_err(Failure::of(&app))?;
    Ok(started.as_ref().map_or_else(|| unusable(&app), to_facebook))
}

/// The way to Facebook, with the cookie that lets this browser come back.
pub fn to_facebook(started: &Started) -> Response {
    let mut response = Redirect::to(started.dialog_url.expose_secret()).into_response();
    let cookie = cookies::set(&started.session_id, &started.cookie);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// `GET /connect/{token}/status`
pub async fn status(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Problem> {
    match connect_sessions::status(&app, &token).await? {
        Some(status) => Ok(Json(status).into_response()),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "there is no such connect session",
            Who::Partner,
            "make a new connect session",
        )),
    }
}

fn is(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|found| found == value)
}

/// Good enough to warn before a login that fails on phones; nothing depends on it.
fn is_phone(headers: &HeaderMap) -> bool {
    is(headers, "sec-ch-ua-mobile", "?1")
        || headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .is_some_and(|agent| ["Mobile", "Android", "iPhone"].iter().any(|word| agent.contains(word)))
}
