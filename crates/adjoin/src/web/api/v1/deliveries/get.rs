use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::DeliveryPath;
use crate::{
    service::{
        App,
        deliveries::{self, DeliveryDetail},
    },
    web::api::{Result, caller::Caller, describe as docs, input::At},
};

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<DeliveryPath>,
) -> Result<Json<DeliveryDetail>> {
    Ok(Json(deliveries::delivery(&app, &caller.reach, &path.delivery_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "deliveries.get",
        "Get a delivery",
        "With its attempts and what the endpoint answered.",
    )
}
