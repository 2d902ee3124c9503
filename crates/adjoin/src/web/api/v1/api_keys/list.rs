use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::ApiKey;
use crate::{
    service::{App, api_keys},
    web::api::{Result, answer::List, caller::Partner, describe as docs},
};

pub async fn handle(_: Partner, State(app): State<App>) -> Result<Json<List<ApiKey>>> {
    let keys = api_keys::list(&app).await?;
    Ok(List::whole(keys.into_iter().map(ApiKey::from).collect()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "api_keys.list",
        "List API keys",
        "The keys that are not revoked, newest first.",
    )
}
