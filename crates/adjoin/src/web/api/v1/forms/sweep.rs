use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    service::{App, forms},
    web::api::{Result, caller::InAccount, describe as docs},
};

/// What was made due.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SweepAsked {
    /// How many forms are known and due.
    pub forms: u64,
}

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<(StatusCode, Json<SweepAsked>)> {
    let forms = forms::sweep_all(&app, &account.actor, &account.id).await?;
    Ok((StatusCode::ACCEPTED, Json(SweepAsked { forms })))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "forms.sweep",
        "Sweep all lead forms now",
        "Makes every form of the account due, and lists and counts the forms of its Pages again. It runs in the \
         background, within Meta's limits.",
    )
    .response_with::<202, Json<SweepAsked>, _>(|response| response.description("They are due"))
}
