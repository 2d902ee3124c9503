use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::Account;
use crate::{
    service::{App, accounts},
    web::api::{Result, caller::InAccount, describe as docs},
};

pub async fn handle(account: InAccount, State(app): State<App>) -> Result<Json<Account>> {
    Ok(Json(accounts::get(&app, &account.id).await?.into()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(operation, "accounts.get", "Read an account", "One account.")
}
