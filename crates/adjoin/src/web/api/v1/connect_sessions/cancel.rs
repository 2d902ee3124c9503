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
    Ok(Json(connect_sessions::cancel(&app, &account.actor, &account.id, &path.connect_session_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "connect_sessions.cancel",
        "Cancel a connect session",
        "Ends a session that has not completed. The connection stays as it was.",
    )
}
