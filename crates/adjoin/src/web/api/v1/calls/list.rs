use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Call;
use crate::{
    id::CallId,
    service::{App, calls},
    web::api::{
        Result,
        answer::List,
        caller::InAccount,
        describe as docs,
        input::{At, Cursor, Limit, Query},
        v1::connections::ConnectionPath,
    },
};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallsQuery {
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<CallId>>,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
    Query(query): Query<CallsQuery>,
) -> Result<Json<List<Call>>> {
    let after = Cursor::text(query.after.as_ref());
    let page = calls::list(&app, &account.id, &path.connection_id, after.as_deref(), query.limit.0).await?;
    Ok(List::from_page(page, Call::from))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "calls.list",
        "List a connection's calls",
        "The methods called for this connection in the last 30 days, newest first. The log is written a moment behind \
         the calls.",
    )
}
