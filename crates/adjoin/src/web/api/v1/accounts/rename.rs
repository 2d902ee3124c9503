use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::Account;
use crate::{
    service::{App, accounts},
    web::api::{Result, caller::InAccount, describe as docs, input::Body},
};

/// What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null is a value here")]
pub struct AccountChange {
    /// 1 to 200 characters.
    name: Option<String>,
    /// How many days its leads are kept after they were read from Meta, 1 to 3650; null: until they are erased.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<i64>")]
    lead_retention_days: Option<Option<i64>>,
}

/// Tells null from nothing.
#[expect(clippy::option_option, reason = "null is a value here")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    Body(body): Body<AccountChange>,
) -> Result<Json<Account>> {
    let InAccount { actor, id, .. } = account;
    if let Some(days) = body.lead_retention_days {
        accounts::keep_leads(&app, &actor, &id, days).await?;
    }
    if let Some(name) = body.name {
        accounts::rename(&app, &actor, &id, &name).await?;
    }
    Ok(Json(accounts::get(&app, &id).await?.into()))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "accounts.rename",
        "Change an account",
        "Gives the account another name, or sets how long its leads are kept. What is left out stays as it is.",
    )
}
