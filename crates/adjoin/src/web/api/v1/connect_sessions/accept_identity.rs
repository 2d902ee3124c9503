use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ConnectSessionPath;
use crate::{
    service::{App, connect_sessions, connections::Connection},
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectSessionPath>,
) -> Result<Json<Connection>> {
    Ok(Json(
        connect_sessions::accept_identity(&app, &account.actor, &account.id, &path.connect_session_id)
            .await?,
    ))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connect_sessions.accept_identity",
        "Accept another identity",
        "Another person or business than before has consented. This accepts that they now stand behind the connection.",
    );
    docs::problems(operation, &[(409, "The session does not wait for this")])
}
