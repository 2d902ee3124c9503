use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Account;
use crate::{
    service::{App, accounts},
    web::api::{Result, caller::InAccount, describe as docs, input::Body},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountName {
    /// 1 to 200 characters.
    name: String,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Body(body): Body<AccountName>,
) -> Result<Json<Account>> {
    Ok(Json(accounts::rename(&app, &account.actor, &account.id, &body.name).await?.into()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(operation, "accounts.rename", "Rename an account", "Gives the account another name.")
}
