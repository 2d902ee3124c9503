use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ConnectSessionPath;
use crate::{
    service::{
        App,
        connect_sessions::{self, ConnectSession},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectSessionPath>,
) -> Result<Json<ConnectSession>> {
    Ok(Json(connect_sessions::get(&app, &account.id, &path.connect_session_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connect_sessions.get",
        "Read a connect session",
        "How far it has come, and why it ended if it did.",
    )
}
