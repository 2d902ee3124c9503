use aide::transform::TransformOperation;
use axum::extract::State;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::ApiKey;
use crate::{
    id::AccountId,
    service::{App, api_keys},
    web::api::{Result, answer::Created, caller::Partner, describe as docs, input::Body},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Says what uses it.
    name: String,
    /// Binds the key to this account. Left out, it reaches all accounts.
    account_id: Option<AccountId>,
}

/// A new key, with its secret this once.
#[derive(Serialize, JsonSchema)]
pub struct FreshApiKey {
    #[serde(flatten)]
    key: ApiKey,
    /// Send it as `Authorization: Bearer`. It is not kept and not shown again.
    secret: String,
}

pub async fn handle(
    caller: Partner,
    State(app): State<App>,
    Body(body): Body<NewApiKey>,
) -> Result<Created<FreshApiKey>> {
    let (key, secret) = api_keys::create(&app, &caller.actor, &body.name, body.account_id).await?;
    Ok(Created(FreshApiKey { key: key.into(), secret: secret.expose_secret().to_owned() }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "api_keys.create",
        "Make an API key",
        "Makes a key for all accounts, or for one. Its secret is answered this once.",
    );
    docs::problems(operation, &[(404, "There is no such account")])
}
