use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    service::{App, leads},
    web::api::{Result, caller::InAccount, describe as docs},
};

/// What was made due.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RetryAsked {
    /// How many leads wait.
    pub leads: u64,
}

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<(StatusCode, Json<RetryAsked>)> {
    let leads = leads::retry_all(&app, &account.actor, Some(&account.id)).await?;
    Ok((StatusCode::ACCEPTED, Json(RetryAsked { leads })))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "leads.retry_all",
        "Try to read all waiting leads now",
        "Reads every lead of the account that waits, in the background and within Meta's limits.",
    )
    .response_with::<202, Json<RetryAsked>, _>(|response| response.description("They are due"))
}
