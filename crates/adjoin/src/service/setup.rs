//! Connector Library > Facebook Marketing API > Setup: the partner's Meta app.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How people log in at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Login {
    /// Facebook Login: the dialog asks for a list of permissions, and people may untick some.
    Facebook,
    /// Facebook Login for Business: a configuration saved at Meta stands for its permissions, all or none.
    Business { configurations: Vec<LoginConfiguration> },
}

/// A Login for Business configuration, as it was saved at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginConfiguration {
    /// The Configuration ID that Meta shows.
    pub id: String,
    /// The use cases whose permissions it holds.
    pub use_cases: Vec<String>,
    pub token: LoginToken,
}

/// What kind of token a configuration yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginToken {
    /// Tied to the person; about 60 days.
    User,
    /// Tied to the customer's business portfolio; never expires by default.
    SystemUser,
}

/// What the setup form and the API send.
#[derive(Debug)]
pub struct NewSetup {
    /// The App ID.
    pub client_id: String,
    /// The App Secret; `None` keeps the one that is stored.
    pub client_secret: Option<SecretString>,
    pub login: Login,
    pub use_cases: Vec<String>,
    pub extra_permissions: Vec<String>,
    /// `None`: the newest version that is live.
    pub graph_version: Option<String>,
}
