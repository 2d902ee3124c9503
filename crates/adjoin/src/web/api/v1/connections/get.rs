use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ConnectionPath;
use crate::{
    service::{
        App,
        connections::{self, Connection},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
) -> Result<Json<Connection>> {
    Ok(Json(connections::get(&app, &account.id, &path.connection_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connections.get",
        "Read a connection",
        "Its state, who consented, permissions granted, declined and missing, and the assets that were shared.",
    )
}
