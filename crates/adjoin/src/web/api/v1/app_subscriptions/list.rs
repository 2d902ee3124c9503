use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use crate::{
    service::{
        App,
        subscriptions::{self, AppSubscription},
    },
    web::api::{Result, answer::List, caller::Partner, describe as docs},
};

pub async fn handle(_: Partner, State(app): State<App>) -> Result<Json<List<AppSubscription>>> {
    Ok(List::whole(subscriptions::of_app(&app).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "app-subscriptions.list",
        "List the Meta app's own webhook subscriptions",
        "One for Pages and one for ad accounts, made by Adjoin once the connector is set up. A `faulty` one says why \
         Meta's webhooks do not come here. Needs a key for all accounts.",
    )
}
