use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use crate::{
    service::{
        App, accounts,
        connections::{self, Connection},
    },
    web::api::{Result, answer::List, caller::InAccount, describe as docs},
};

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<Json<List<Connection>>> {
    accounts::get(&app, &account.id).await?;
    Ok(List::whole(connections::list(&app, &account.id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connections.list",
        "List an account's connections",
        "The connections of one account, with their state, permissions and assets. No token is ever answered.",
    )
}
