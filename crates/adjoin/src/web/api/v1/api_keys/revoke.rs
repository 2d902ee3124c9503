use aide::transform::TransformOperation;
use axum::{extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    id::ApiKeyId,
    service::{App, api_keys},
    web::api::{Result, caller::Partner, describe as docs, input::At},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct ApiKeyPath {
    /// The key.
    api_key_id: ApiKeyId,
}

pub async fn handle(caller: Partner, State(app): State<App>, At(path): At<ApiKeyPath>) -> Result<NoContent> {
    api_keys::revoke(&app, &caller.actor, &path.api_key_id).await?;
    Ok(NoContent)
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(operation, "api_keys.revoke", "Revoke an API key", "From now on the key is not accepted.")
}
