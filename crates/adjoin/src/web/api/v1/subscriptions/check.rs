use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    service::{App, subscriptions},
    web::api::{Result, caller::InAccount, describe as docs},
};

/// What was made due.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckAsked {
    /// How many subscriptions are due.
    pub subscriptions: u64,
}

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<(StatusCode, Json<CheckAsked>)> {
    let subscriptions = subscriptions::check_all(&app, &account.actor, &account.id).await?;
    Ok((StatusCode::ACCEPTED, Json(CheckAsked { subscriptions })))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "subscriptions.check",
        "Check an account's webhook subscriptions now",
        "Makes all of them due: each is read at Meta, mended when something of ours is missing, and read again. It runs in \
         the background; `checked_at` of a subscription says when it was done.",
    )
    .response_with::<202, Json<CheckAsked>, _>(|response| response.description("They are due"))
}
