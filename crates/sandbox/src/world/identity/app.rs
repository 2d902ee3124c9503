use std::collections::{BTreeMap, BTreeSet};

use adjoin_marketing::permissions::permissions;

/// An app registered at the (pretended) App Dashboard.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub secret: String,
    pub name: String,
    /// Valid OAuth Redirect URIs; a dialog's `redirect_uri` must equal one of them exactly.
    pub redirect_uris: Vec<String>,
    /// Facebook Login for Business configurations by id.
    pub configurations: BTreeMap<String, Configuration>,
    /// Ids of people with a role on the app (admin, developer, tester).
    pub role_holders: Vec<String>,
    /// Ids of people who were invited as testers and have not accepted yet.
    pub invited_testers: Vec<String>,
    /// "Require App Secret": every call must carry `appsecret_proof`.
    pub require_app_secret_proof: bool,
    pub mode: AppMode,
    pub access: AccessLevel,
    /// Whether Access Verification as Tech Provider is done.
    pub tech_provider: bool,
    /// Permissions that were added to the app.
    pub permissions: BTreeSet<String>,
}

impl App {
    /// A live app with every gate open and every known permission added.
    pub fn new(id: impl Into<String>, secret: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            name: name.into(),
            redirect_uris: Vec::new(),
            configurations: BTreeMap::new(),
            role_holders: Vec::new(),
            invited_testers: Vec::new(),
            require_app_secret_proof: false,
            mode: AppMode::Live,
            access: AccessLevel::Advanced,
            tech_provider: true,
            permissions: permissions().iter().map(|p| p.name.clone()).collect(),
        }
    }

    pub fn has_role(&self, person_id: &str) -> bool {
        self.role_holders.iter().any(|id| id == person_id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppMode {
    /// Only people with a role on the app can log in.
    Development,
    Live,
}

/// How far the app's permissions reach. One level for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLevel {
    /// Only people with a role on the app can grant more than their profile.
    Standard,
    Advanced,
}

/// A Facebook Login for Business configuration: all of its permissions or none.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub id: String,
    pub name: String,
    pub token: ConfigurationToken,
    pub permissions: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationToken {
    User,
    /// Business integration system user; `expires_in_60_days` is the dashboard's choice.
    SystemUser {
        expires_in_60_days: bool,
    },
}
