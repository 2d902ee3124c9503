use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::Call;
use crate::{
    service::{App, calls},
    web::api::{
        Result,
        answer::List,
        caller::InAccount,
        describe as docs,
        input::{At, PageQuery, Query},
        v1::connections::ConnectionPath,
    },
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Call>>> {
    let page =
        calls::list(&app, &account.id, &path.connection_id, query.after.as_deref(), query.limit).await?;
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
