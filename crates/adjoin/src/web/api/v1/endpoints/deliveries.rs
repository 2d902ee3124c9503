use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::EndpointPath;
use crate::{
    id::DeliveryId,
    service::{
        App,
        deliveries::{self, Delivery, Status},
    },
    web::api::{
        Result,
        answer::List,
        caller::Caller,
        describe as docs,
        input::{At, Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    /// Only those in this state.
    status: Option<Status>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<DeliveryId>>,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<List<Delivery>>> {
    let (id, after) = (Some(&path.endpoint_id), Cursor::text(query.after.as_ref()));
    let page =
        deliveries::list_deliveries(&app, &caller.reach, id, query.status, after.as_deref(), query.limit.0)
            .await?;
    Ok(List::from_page(page, |delivery| delivery))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.deliveries",
        "List an endpoint's deliveries",
        "Newest first; `status=dead` lists those whose attempts all failed.",
    )
}
