use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::ConnectSessionPath;
use crate::{
    service::{App, connect_sessions, connections::Connection},
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{At, Body},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// What the browser brought back to your return URL.
    #[serde(deserialize_with = "secret")]
    #[schemars(with = "String", extend("writeOnly" = true))]
    completion_code: SecretString,
    /// Your own id of the person who is signed in; must be the one the session was made for, if it was made for one.
    end_user: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<ConnectSessionPath>,
    Body(body): Body<Completion>,
) -> Result<Json<Connection>> {
    let connection = connect_sessions::complete(
        &app,
        &account.actor,
        &account.id,
        &path.connect_session_id,
        &body.completion_code,
        body.end_user.as_deref(),
    )
    .await?;
    Ok(Json(connection))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connect_sessions.complete",
        "Confirm an embedded session",
        "Your backend confirms that the person who is signed in is the one who connects. Only now is the consent \
         redeemed at Meta and the connection made.",
    );
    docs::problems(
        operation,
        &[
            (
                409,
                "The session does not wait for a confirmation, has run out, or another person than before consented",
            ),
            (502, "Meta refused; the connection is as it was"),
        ],
    )
}
