use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use crate::{
    service::{
        App,
        connections::{self, Connection},
    },
    web::api::{Result, caller::InAccount, describe as docs},
};

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<Json<Connection>> {
    Ok(Json(connections::install(&app, &account.actor, &account.id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connections.install",
        "Install the connector in an account",
        "There is one connection an account: a second call answers the first one's. Making a connect session installs the connector too.",
    )
}
