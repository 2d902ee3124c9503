use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::EndpointPath;
use crate::{
    service::{
        App,
        deliveries::{self, Endpoint},
    },
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
) -> Result<Json<Endpoint>> {
    Ok(Json(deliveries::get(&app, &caller.reach, &path.endpoint_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.get",
        "Get an endpoint",
        "With its state: one that answered 410, or at which nothing arrived for five days, is disabled.",
    )
}
