use aide::transform::TransformOperation;
use axum::{extract::State, response::NoContent};

use super::EndpointPath;
use crate::{
    service::{App, deliveries},
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(caller: Caller, State(app): State<App>, At(path): At<EndpointPath>) -> Result<NoContent> {
    deliveries::delete(&app, &caller.actor, &caller.reach, &path.endpoint_id).await?;
    Ok(NoContent)
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.delete",
        "Delete an endpoint",
        "With its deliveries. The events stay: read them with `events.list`.",
    )
}
