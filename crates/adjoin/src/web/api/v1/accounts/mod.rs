pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod rename;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{id::AccountId, service::accounts, time::Timestamp};

/// A customer of yours.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Account {
    pub id: AccountId,
    /// Your own id for it; unique.
    pub external_id: Option<String>,
    pub name: String,
    /// How many days its leads are kept after they were read from Meta; null: until they are erased.
    pub lead_retention_days: Option<i64>,
    pub created_at: Timestamp,
}

impl From<accounts::Account> for Account {
    fn from(account: accounts::Account) -> Self {
        Self {
            id: account.id,
            external_id: account.external_id,
            name: account.name,
            lead_retention_days: account.lead_retention_days,
            created_at: account.created_at,
        }
    }
}
