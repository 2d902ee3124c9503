use aide::transform::TransformOperation;
use axum::extract::State;

use super::ConnectionPath;
use crate::{
    service::{App, connections},
    web::api::{
        Result,
        answer::Created,
        caller::InAccount,
        describe as docs,
        input::{At, Body},
        v1::connect_sessions::{
            FreshConnectSession,
            create::{ConnectSessionInput, make},
        },
    },
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectionPath>,
    Body(body): Body<ConnectSessionInput>,
) -> Result<Created<FreshConnectSession>> {
    connections::get(&app, &account.id, &path.connection_id).await?;
    make(&app, account, body).await.map(Created)
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connections.reconnect",
        "Let an account connect again",
        "Makes a connect session for this connection, as `connect_sessions.create` does. What the \
         person declined is asked for again; with `rerequest` Facebook also stops for people who agreed to everything, \
         so that they can pick other assets.",
    );
    docs::problems(operation, &[(409, "The connector is not set up, or the Service Domain is not set")])
}
