//! What the partner does in Meta's App Dashboard: strings to paste, switches, steps. The rows are data with sources.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    settings::{ServiceOrigin, Settings},
    setup::{Login, Setup},
};

/// Everything to do at Meta, filled in for this service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dashboard {
    #[serde(rename = "paste")]
    pub pastes: Vec<Paste>,
    #[serde(rename = "switch")]
    pub switches: Vec<Switch>,
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// A string to paste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paste {
    pub id: String,
    pub label: String,
    /// Exactly as Meta must have it.
    pub value: String,
    /// Where in the App Dashboard.
    pub place: String,
    pub note: String,
    #[serde(flatten)]
    pub only: Only,
    pub source: String,
}

/// A switch and how it must stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Switch {
    pub label: String,
    pub place: String,
    /// `on`, `off`, or what to enter.
    pub set: String,
    pub why: String,
    pub source: String,
}

/// A step, in the order they are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    pub title: String,
    pub text: String,
    /// What is possible once it is done.
    pub opens: String,
    #[serde(flatten)]
    pub only: Only,
    pub source: String,
}

/// What a row is limited to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Only {
    /// `facebook` or `business`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_case: Option<String>,
}

impl Only {
    /// Before there is a setup, everything is shown.
    fn fits(&self, setup: Option<&Setup>) -> bool {
        let Some(setup) = setup else { return true };
        let login = match setup.login {
            Login::Facebook => "facebook",
            Login::Business { .. } => "business",
        };
        self.login.as_deref().is_none_or(|only| only == login)
            && self.use_case.as_ref().is_none_or(|only| setup.use_cases.contains(only))
    }
}

static TABLE: LazyLock<Dashboard> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/meta_dashboard.toml"))
        .unwrap_or_else(|error| panic!("the embedded table data/meta_dashboard.toml cannot be read: {error}"))
});

/// Fills the rows in. Rows whose value would be empty are left out.
pub fn dashboard_strings(origin: &ServiceOrigin, settings: &Settings, setup: Option<&Setup>) -> Dashboard {
    let host = origin.as_str().split_once("://").map_or(origin.as_str(), |(_, host)| host);
    // Meta takes an App Domain without a port.
    let domain = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let fill = |value: &str| {
        value
            .replace("{origin}", origin.as_str())
            .replace("{domain}", domain)
            .replace("{redirect_uri}", &origin.redirect_uri())
            .replace("{keyed_redirect_uri}", &origin.keyed_redirect_uri(settings))
            .replace("{embed_origins}", &settings.embed_origins.0.join(", "))
    };
    Dashboard {
        pastes: TABLE
            .pastes
            .iter()
            .filter(|row| row.only.fits(setup))
            .map(|row| Paste { value: fill(&row.value), ..row.clone() })
            .filter(|row| !row.value.is_empty())
            .collect(),
        switches: TABLE.switches.clone(),
        steps: TABLE.steps.iter().filter(|row| row.only.fits(setup)).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_forgotten_at_meta_is_there_with_its_source() {
        let step = TABLE.steps.iter().find(|step| step.title.contains("public_profile")).unwrap();
        assert_eq!(
            step.only.login.as_deref(),
            Some("business"),
            "plain Facebook Login has it from the start"
        );
        let list = TABLE.switches.iter().find(|switch| switch.label == "Server IP Allow List").unwrap();
        assert!(list.why.contains("people's tokens are not covered"));
        let sources = TABLE.steps.iter().map(|step| &step.source);
        let sources = sources.chain(TABLE.switches.iter().map(|switch| &switch.source));
        assert!(sources.chain(TABLE.pastes.iter().map(|paste| &paste.source)).all(|it| !it.is_empty()));
    }
}
