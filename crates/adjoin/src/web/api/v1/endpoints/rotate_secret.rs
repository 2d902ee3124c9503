use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::EndpointPath;
use crate::{
    service::{App, deliveries},
    time::Timestamp,
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

/// A new signing secret, this once.
#[derive(Serialize, JsonSchema)]
pub struct FreshSecret {
    secret: String,
    /// Until when deliveries are signed with the secret before, too.
    previous_until: Option<Timestamp>,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
) -> Result<Json<FreshSecret>> {
    let made = deliveries::rotate_secret(&app, &caller.actor, &caller.reach, &path.endpoint_id).await?;
    Ok(Json(FreshSecret {
        secret: made.secret.expose_secret().to_owned(),
        previous_until: made.previous_until,
    }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.rotate_secret",
        "Rotate an endpoint's secret",
        "Deliveries are signed with the new secret and, for 24 hours, with the one before.",
    )
}
