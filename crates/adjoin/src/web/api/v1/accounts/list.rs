use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Account;
use crate::{
    id::AccountId,
    service::{App, accounts},
    web::api::{
        Result,
        answer::List,
        caller::Partner,
        describe as docs,
        input::{Cursor, Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountsQuery {
    /// Only accounts whose name or ids contain this text, in any case.
    #[serde(default)]
    find: String,
    /// Only the account with exactly this id of yours.
    external_id: Option<String>,
    /// Most entries a page has, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    after: Option<Cursor<AccountId>>,
}

pub async fn handle(
    _: Partner,
    State(app): State<App>,
    Query(query): Query<AccountsQuery>,
) -> Result<Json<List<Account>>> {
    if let Some(external_id) = &query.external_id {
        let found = accounts::by_external_id(&app, external_id).await?;
        return Ok(List::whole(found.into_iter().map(Account::from).collect()));
    }
    let after = Cursor::text(query.after.as_ref());
    let page = accounts::find(&app, &query.find, after.as_deref(), query.limit.0).await?;
    Ok(List::from_page(page, Account::from))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "accounts.list",
        "Find accounts",
        "All accounts, or those that match; newest first.",
    )
}
