use aide::transform::TransformOperation;
use axum::extract::State;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::FreshConnectSession;
use crate::{
    service::{
        App,
        connect_sessions::{self, Kind, NewConnectSession},
        settings,
    },
    web::api::{Result, answer::Created, caller::InAccount, describe as docs, input::Body},
};

/// How the session is opened and confirmed, and what is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ConnectSessionInput {
    #[serde(flatten)]
    kind: Kind,
    /// Use cases to ask for; left out, all of the setup.
    #[serde(default)]
    use_cases: Vec<String>,
    /// A Login for Business configuration of the setup, by id. Left out, one that covers the use cases.
    configuration: Option<String>,
    /// Ask again for permissions that were declined before.
    #[serde(default)]
    rerequest: bool,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Body(body): Body<ConnectSessionInput>,
) -> Result<Created<FreshConnectSession>> {
    make(&app, account, body).await.map(Created)
}

/// Makes the session, and its address.
pub async fn make(app: &App, account: InAccount, body: ConnectSessionInput) -> Result<FreshConnectSession> {
    let new = NewConnectSession {
        account_id: account.id,
        kind: body.kind,
        use_cases: body.use_cases,
        configuration: body.configuration,
        rerequest: body.rerequest,
    };
    let (session, token) = connect_sessions::create(app, &account.actor, new).await?;
    let origin = settings::origin(app, &settings::get(app).await?)?;
    Ok(FreshConnectSession { session, url: origin.join(&format!("/connect/{}", token.expose_secret())) })
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "connect_sessions.create",
        "Make a connect session",
        "Makes the short-lived right to connect this account, and the address to open. `link`: for somebody you send \
         it to; the person confirms on a page that names you and the account. `embedded`: opened from your product; \
         the browser comes back to `return_url` with a completion code, and your backend confirms it with \
         `connect_sessions.complete`. Only then is the consent redeemed.",
    );
    docs::problems(
        operation,
        &[
            (404, "There is no such account"),
            (409, "The connector is not set up, or the Service Domain is not set"),
        ],
    )
}
