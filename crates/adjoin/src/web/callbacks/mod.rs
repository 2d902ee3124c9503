//! Where Facebook sends browsers back to: `/connector/callback`, and the same with the partner's key behind it; and
//! where Meta itself calls ([`departures`]).
//!
//! Browsers are shown nothing here. Code and state leave the address bar by a 303 at once, and are never logged.

mod departures;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::get,
};

use super::{
    connect::{self, cookies, pages::Failure, see_other, session_path},
    reader,
};
use crate::service::{
    App,
    connect_sessions::{self, Next},
};

pub fn router() -> Router<App> {
    Router::new()
        .route("/connector/callback", get(plain))
        .route("/connector/callback/{partner_key}", get(keyed))
        .merge(departures::router())
        .method_not_allowed_fallback(reader::wrong_verb)
}

async fn plain(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    answer(&app, query, None, &headers).await
}

async fn keyed(
    State(app): State<App>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(&app, query, Some(&key), &headers).await
}

async fn answer(
    app: &App,
    query: Option<String>,
    partner_key: Option<&str>,
    headers: &HeaderMap,
) -> Response {
    let cookies = cookies::read(headers);
    let next = connect_sessions::callback(app, &query.unwrap_or_default(), partner_key, &cookies).await;
    match next {
        Ok(Next::Session(id)) => see_other(&session_path(&id)),
        Ok(Next::Partner(url)) => see_other(url.as_str()),
        Ok(Next::Problem(problem)) => see_other(&format!("/connect/problem/{}", connect::slug(problem))),
        Err(error) => Failure::of(app)(error).into_response(),
    }
}
