use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ObjectPath;
use crate::{
    service::{
        App,
        subscriptions::{self, AppSubscription},
    },
    web::api::{Result, caller::Partner, describe as docs, input::At},
};

pub async fn handle(
    partner: Partner,
    State(app): State<App>,
    At(path): At<ObjectPath>,
) -> Result<Json<AppSubscription>> {
    Ok(Json(subscriptions::take_over(&app, &partner.actor, &path.object).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "app-subscriptions.take_over",
        "Take over the callback of an object",
        "A Meta app has one callback for each type of object. Adjoin never replaces another service's by itself; this \
         does, and the other service hears nothing more. The fields it had stay subscribed. Needs a key for all \
         accounts.",
    )
}
