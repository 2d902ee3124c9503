use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};

use super::DeliveryPath;
use crate::{
    service::{
        App,
        deliveries::{self, DeliveryDetail},
    },
    web::api::{Result, caller::Caller, describe as docs, input::At, v1::endpoints::DISABLED},
};

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<DeliveryPath>,
) -> Result<(StatusCode, Json<DeliveryDetail>)> {
    let id = &path.delivery_id;
    deliveries::replay_one(&app, &caller.actor, &caller.reach, id).await?;
    Ok((StatusCode::ACCEPTED, Json(deliveries::delivery(&app, &caller.reach, id).await?)))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "deliveries.replay",
        "Send a delivery again",
        "Whatever came of it, from the first attempt, with the event's id.",
    )
    .response_with::<202, Json<DeliveryDetail>, _>(|response| response.description("It is on its way"));
    docs::problems(operation, &[DISABLED])
}
