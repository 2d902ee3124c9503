use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    service::{App, webhooks},
    web::problem::Problem,
};

/// Longest challenge that is echoed, in characters. Meta's have about ten.
const LONGEST: usize = 200;

#[derive(Debug, Deserialize)]
pub struct Challenge {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.challenge")]
    echo: String,
    #[serde(rename = "hub.verify_token")]
    verify_token: String,
}

/// Shows Meta that the address is ours, when a subscription is made.
pub async fn answer(State(app): State<App>, query: Result<Query<Challenge>, QueryRejection>) -> Response {
    let Some(Query(it)) =
        query.ok().filter(|it| it.mode == "subscribe" && it.echo.chars().count() <= LONGEST)
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match webhooks::is_our_token(&app, &it.verify_token).await {
        Ok(true) => it.echo.into_response(),
        Ok(false) => StatusCode::FORBIDDEN.into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
