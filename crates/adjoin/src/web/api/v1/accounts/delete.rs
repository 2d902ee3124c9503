use aide::transform::TransformOperation;
use axum::{extract::State, response::NoContent};

use crate::{
    service::{App, accounts},
    web::api::{
        Result,
        caller::{AccountPath, Partner},
        describe as docs,
        input::At,
    },
};

pub async fn handle(caller: Partner, State(app): State<App>, At(path): At<AccountPath>) -> Result<NoContent> {
    accounts::delete(&app, &caller.actor, &path.account_id).await?;
    Ok(NoContent)
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "accounts.delete",
        "Erase an account",
        "Erases the account with everything that belongs to it, and the key its secrets were sealed with. There is no \
         way back. The consent at Meta stays until it is disconnected: do that first. Needs a key for all accounts.",
    )
}
