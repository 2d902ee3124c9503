//! The connect page: what an account's person sees before and after Facebook.
//!
//! `/connect/{secret}` belongs to whoever has the link; the press that leads to Facebook gives the session to that
//! browser, and from then on its page is `/connect/s/{session}`, for that browser's cookie alone.

pub mod cookies;
pub mod pages;
mod problems;
mod session;
mod start;
pub mod words;

use axum::{
    Router,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};

use crate::{id::ConnectSessionId, service::App, web::reader};

pub use problems::slug;

pub fn router() -> Router<App> {
    Router::new()
        .route("/connect/{token}", get(start::page))
        .route("/connect/{token}/start", post(start::start))
        .route("/connect/{token}/status", get(start::status))
        .route("/connect/s/{id}", get(session::page))
        .route("/connect/s/{id}/start", post(session::start))
        .route("/connect/s/{id}/confirm", post(session::confirm))
        .route("/connect/s/{id}/accept", post(session::accept))
        .route("/connect/problem/{slug}", get(problems::page))
        .method_not_allowed_fallback(reader::wrong_verb)
}

/// A 303 whose address has an empty fragment of its own: Facebook's `#_=_` would be carried over otherwise.
pub fn see_other(address: &str) -> Response {
    Redirect::to(&format!("{address}#")).into_response()
}

/// The page of a session.
pub fn session_path(id: &ConnectSessionId) -> String {
    format!("/connect/s/{id}")
}
