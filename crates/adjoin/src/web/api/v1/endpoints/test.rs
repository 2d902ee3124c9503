use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};

use super::{DISABLED, EndpointPath};
use crate::{
    service::{
        App,
        deliveries::{self, Delivery},
    },
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
) -> Result<(StatusCode, Json<Delivery>)> {
    let delivery = deliveries::test(&app, &caller.actor, &caller.reach, &path.endpoint_id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "endpoints.test",
        "Test an endpoint",
        "Sends an `endpoint.test` event there, whatever types it takes. `deliveries.get` tells what came of it.",
    )
    .response_with::<202, Json<Delivery>, _>(|response| response.description("It is on its way"));
    docs::problems(operation, &[DISABLED])
}
