use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connection's token reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assets {
    pub ad_accounts: Vec<AdAccount>,
    pub pages: Vec<PageAsset>,
    pub businesses: Vec<Business>,
    /// There are more than were read.
    pub truncated: bool,
}

impl Assets {
    pub fn is_empty(&self) -> bool {
        self.ad_accounts.is_empty() && self.pages.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdAccount {
    /// With `act_`.
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    /// ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
    /// Meta's number: 1 is active.
    #[serde(default)]
    pub account_status: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageAsset {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    /// What the person may do there, in Meta's words: `ADVERTISE`, `MANAGE` ...
    #[serde(default)]
    pub tasks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Business {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
}
