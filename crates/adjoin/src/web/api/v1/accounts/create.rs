use aide::transform::TransformOperation;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Account;
use crate::{
    service::{
        App,
        accounts::{self, NewAccount},
    },
    web::api::{Result, answer::Created, caller::Partner, describe as docs, input::Body},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// 1 to 200 characters. The account's people see it on the connect page.
    name: String,
    /// Your own id for it, unique; find the account by it later.
    external_id: Option<String>,
}

pub async fn handle(
    caller: Partner,
    State(app): State<App>,
    Body(body): Body<AccountInput>,
) -> Result<Created<Account>> {
    let new = NewAccount { name: body.name, external_id: body.external_id };
    Ok(Created(accounts::create(&app, &caller.actor, new).await?.into()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "accounts.create",
        "Create an account",
        "Makes an account for a customer of yours.",
    );
    docs::problems(operation, &[(409, "Another account has this external_id")])
}
