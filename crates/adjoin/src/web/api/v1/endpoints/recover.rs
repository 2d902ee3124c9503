use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};

use super::{DISABLED, EndpointPath, OnTheirWay};
use crate::{
    service::{App, deliveries},
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
) -> Result<(StatusCode, Json<OnTheirWay>)> {
    let deliveries = deliveries::recover(&app, &caller.actor, &caller.reach, &path.endpoint_id).await?;
    Ok((StatusCode::ACCEPTED, Json(OnTheirWay { deliveries })))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "endpoints.recover",
        "Try what waits now",
        "Your receiver works again: what waits for its next attempt is tried at once. What is `dead` is replayed.",
    )
    .response_with::<202, Json<OnTheirWay>, _>(|response| response.description("They are due"));
    docs::problems(operation, &[DISABLED])
}
