use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ConnectionPath;
use crate::{
    service::{
        App,
        connections::{self, TestReport},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
) -> Result<Json<TestReport>> {
    Ok(Json(connections::test(&app, &account.actor, &account.id, &path.connection_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connections.test",
        "Test a connection",
        "Asks Meta about the token and reads a little of each kind of asset. Each check says what to do when it fails, and the connection is brought up to date by what is found.",
    );
    docs::problems(operation, &[(503, "Meta cannot be reached; nothing changed")])
}
