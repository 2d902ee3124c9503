pub mod create;
pub mod list;
pub mod revoke;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    id::{AccountId, ApiKeyId},
    service::api_keys,
    time::Timestamp,
};

/// A key for this API, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKey {
    pub id: ApiKeyId,
    /// The one account it reaches; null for all accounts.
    pub account_id: Option<AccountId>,
    pub name: String,
    /// The last characters, to tell keys apart.
    pub hint: String,
    pub created_at: Timestamp,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

impl From<api_keys::ApiKey> for ApiKey {
    fn from(key: api_keys::ApiKey) -> Self {
        Self {
            id: key.id,
            account_id: key.account_id,
            name: key.name,
            hint: key.hint,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
        }
    }
}
