use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    id::{AccountId, EndpointId},
    service::{
        App,
        deliveries::{self, Endpoint},
    },
    web::api::{
        Result,
        answer::List,
        caller::Caller,
        describe as docs,
        input::{Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointsQuery {
    /// Only those of this account.
    account_id: Option<AccountId>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<EndpointId>>,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    Query(query): Query<EndpointsQuery>,
) -> Result<Json<List<Endpoint>>> {
    let after = Cursor::text(query.after.as_ref());
    let page =
        deliveries::list(&app, &caller.reach, query.account_id, after.as_deref(), query.limit.0).await?;
    Ok(List::from_page(page, |endpoint| endpoint))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.list",
        "List endpoints",
        "Newest first. A key that is bound to an account sees the endpoints of that account.",
    )
}
