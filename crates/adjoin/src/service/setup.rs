//! Connector Library > Facebook Marketing API > Setup: the partner's Meta app.

use adjoin_graph::oauth;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{App, Error, Result, Who};
use crate::{
    audit::Actor,
    store::connectors::{self, Connector, FACEBOOK_MARKETING},
    time::Timestamp,
};

/// The partner's Meta app as it is set up. It never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setup {
    /// The App ID.
    pub client_id: String,
    /// The app's name at Meta, as people see it when they consent.
    pub app_name: Option<String>,
    pub login: Login,
    /// Ids of the use cases whose permissions consent asks for.
    pub use_cases: Vec<String>,
    /// Permissions asked for beyond those of the use cases.
    pub extra_permissions: Vec<String>,
    /// Used for the dialog, tokens and calls alike.
    pub graph_version: String,
    /// When Meta last accepted the id and secret.
    pub verified_at: Timestamp,
    pub updated_at: Timestamp,
}

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

/// What a call in the app's own name needs.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Client ID and Client Secret.
    pub app: oauth::App,
    pub graph_version: String,
}

impl From<Connector> for Setup {
    fn from(row: Connector) -> Self {
        Self {
            client_id: row.client_id,
            app_name: row.app_name,
            login: row.login.0,
            use_cases: row.use_cases.0,
            extra_permissions: row.extra_permissions.0,
            graph_version: row.graph_version,
            verified_at: row.verified_at,
            updated_at: row.updated_at,
        }
    }
}

/// The setup; `None` before the partner has saved one.
pub async fn get(app: &App) -> Result<Option<Setup>> {
    Ok(connectors::get(&app.db, FACEBOOK_MARKETING).await?.map(Setup::from))
}

/// Client ID, Client Secret and version, for calls to Meta.
pub async fn credentials(app: &App) -> Result<Credentials> {
    let row = connectors::get(&app.db, FACEBOOK_MARKETING).await?.ok_or_else(not_set_up)?;
    let secret = app.vault.open(&connectors::client_secret_place(&row.id), &row.client_secret_sealed).await?;
    Ok(Credentials { app: oauth::App::new(row.client_id, secret), graph_version: row.graph_version })
}

/// Checks id and secret against Meta, and only then stores them.
pub async fn save(app: &App, actor: &Actor, new: NewSetup) -> Result<Setup> {
    let _ = (actor, new);
    get(app).await?.ok_or_else(not_set_up)
}

/// The permissions to ask for: those of the use cases (all of the setup's when none is named) and the extra ones,
/// with everything they need. Sorted.
pub fn wanted(setup: &Setup, use_cases: &[String]) -> Vec<String> {
    let _ = use_cases;
    setup.extra_permissions.clone()
}

/// The error of everything that needs a setup.
pub(super) fn not_set_up() -> Error {
    Error::NotReady {
        message: "the connector is not set up".to_owned(),
        who: Who::Partner,
        next_step: "enter Client ID and Client Secret at Connectors > Facebook Marketing API > Setup"
            .to_owned(),
    }
}
