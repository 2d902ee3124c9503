use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};

use super::LeadPath;
use crate::{
    service::{
        App,
        leads::{self, Lead},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<LeadPath>,
) -> Result<(StatusCode, Json<Lead>)> {
    leads::retry(&app, &account.actor, &account.id, &path.lead_id).await?;
    Ok((StatusCode::ACCEPTED, Json(leads::get(&app, &account.id, &path.lead_id).await?)))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "leads.retry",
        "Try to read a lead now",
        "Reads a lead that waits, at once and in the background. Nothing depends on it: what is parked is tried by itself. \
         Meta's limits are kept.",
    )
    .response_with::<202, Json<Lead>, _>(|response| response.description("It is due"));
    docs::problems(operation, &[(409, "The lead does not wait to be read")])
}
