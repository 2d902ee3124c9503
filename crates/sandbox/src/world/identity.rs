//! Apps, people, businesses, and the tokens that tie them together.

use std::collections::BTreeMap;

/// An app registered at the (pretended) App Dashboard.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub secret: String,
    pub name: String,
    pub redirect_uris: Vec<String>,
    /// Facebook Login for Business configurations by id.
    pub configurations: BTreeMap<String, Configuration>,
    /// Ids of people with a role on the app (admin, developer, tester).
    pub role_holders: Vec<String>,
    pub require_app_secret_proof: bool,
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

#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
}

#[derive(Debug, Clone)]
pub struct Business {
    pub id: String,
    pub name: String,
    /// Ids of people who administer the portfolio.
    pub admins: Vec<String>,
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    User { person_id: String },
    Page { page_id: String, person_id: String },
    SystemUser { system_user_id: String, business_id: String },
    App,
}

/// Everything about who may do what. Kept small: the ids here point into `Assets`.
#[derive(Debug, Default)]
pub struct Identity {
    pub apps: BTreeMap<String, App>,
    pub people: BTreeMap<String, Person>,
    pub businesses: BTreeMap<String, Business>,
}
