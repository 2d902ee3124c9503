use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ConnectionPath;
use crate::{
    service::{
        App,
        connections::{self, Disconnected},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
) -> Result<Json<Disconnected>> {
    Ok(Json(connections::disconnect(&app, &account.actor, &account.id, &path.connection_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connections.disconnect",
        "Disconnect",
        "Erases the token here and takes the consent back at Meta, unless another account lives by the same person's consent. The connection stays and can be connected again.",
    )
}
