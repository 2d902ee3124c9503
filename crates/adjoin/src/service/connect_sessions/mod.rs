//! Connect sessions: the short-lived right to connect an account, from the link to the confirmed consent.
//!
//! ```text
//! Created -> Opened -> AtFacebook -> CodeHeld -> Finishing -> Completed
//!                          |            |            |
//!                 Declined, Refused   Expired   OtherIdentity -> Completed
//! ```
//! Meta's code is not exchanged before the session is confirmed: by the partner's backend, which knows who is signed
//! in there, or, for a link, by an explicit press in the browser that began.

mod again;
mod callback;
mod complete;
mod create;
mod departed;
mod stage;
mod start;
mod view;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{App, Error, Result, settings::Settings};
use crate::{
    id::{AccountId, ConnectSessionId, ConnectionId},
    store::connect_sessions as table,
    time::Timestamp,
};

pub use callback::{Cookies, Next, Problem, callback};
pub use complete::{Finished, accept_by_browser, accept_identity, complete, confirm};
pub use create::{cancel, create, get};
pub(super) use departed::refuse_of_person;
pub use stage::{Dialog, Refusal, Stage, Waiting};
pub use start::{Browser, Started, start};
pub use view::{Asked, Invitation, Opened, Parties, Progress, Status, open, progress, status};

/// How a session is opened and confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A link that is sent to somebody. The person confirms by a press.
    Link,
    /// Opened from the partner's product. The partner's backend completes it.
    Embedded {
        /// Where the browser goes back to; one of the settings' return URLs, exactly.
        return_url: String,
        /// The origin that frames or opens the page; one of the settings' embed origins.
        #[serde(default)]
        origin: Option<String>,
        /// The partner's own id of the person who is signed in; `complete` must name the same.
        #[serde(default)]
        end_user: Option<String>,
    },
}

impl Kind {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Embedded { .. } => "embedded",
        }
    }
}

/// What a session is made from.
#[derive(Debug, Clone)]
pub struct NewConnectSession {
    pub account_id: AccountId,
    pub kind: Kind,
    /// Use cases to ask for; empty for all of the setup.
    pub use_cases: Vec<String>,
    /// A Login for Business configuration of the setup, by id. `None` picks one that covers the use cases.
    pub configuration: Option<String>,
    /// Have Facebook ask also where it would let people pass who agreed before.
    pub rerequest: bool,
}

/// The right to connect one account, for a short time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectSession {
    pub id: ConnectSessionId,
    pub account_id: AccountId,
    pub connection_id: ConnectionId,
    #[serde(flatten)]
    pub kind: Kind,
    pub use_cases: Vec<String>,
    #[serde(flatten)]
    pub stage: Stage,
    pub created_at: Timestamp,
    /// When the browser last went to Facebook. Null when it has not.
    pub started_at: Option<Timestamp>,
    /// When the link stops working.
    pub expires_at: Timestamp,
}

impl ConnectSession {
    fn at(row: table::Stored, now: Timestamp) -> Self {
        let stage = stage::seen_at(&row, now);
        Self {
            id: row.id,
            account_id: row.account_id,
            connection_id: row.connection_id,
            kind: row.kind.0,
            use_cases: row.use_cases.0,
            stage,
            created_at: row.created_at,
            started_at: row.dialog_expires_at.map(|at| at.plus_seconds(-DIALOG_SECONDS)),
            expires_at: row.expires_at,
        }
    }
}

/// The newest sessions of a connection.
pub async fn of_connection(app: &App, account: &AccountId, id: &ConnectionId) -> Result<Vec<ConnectSession>> {
    let now = app.clock.now();
    let rows = table::of_connection(&app.db, id, 20).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.account_id == *account)
        .map(|row| ConnectSession::at(row, now))
        .collect())
}

/// Drops codes and tokens that waited too long, and forgets old sessions. True when there are more of these.
pub async fn sweep(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    table::drop_held(&mut tx, &Stage::Expired { waiting_for: Waiting::Confirmation }, now).await?;
    let pruned = table::prune(&mut tx, now.plus_seconds(-KEPT_SECONDS), PRUNED).await?;
    tx.commit().await?;
    Ok(pruned >= PRUNED.unsigned_abs())
}

/// Whether sessions of this kind may go on, as the settings stand now.
fn is_allowed(settings: &Settings, kind: &Kind) -> bool {
    match kind {
        Kind::Link => settings.links_allowed,
        Kind::Embedded { return_url, .. } => settings.return_urls.0.contains(return_url),
    }
}

/// How long a link waits for the press that leads to Facebook.
const LINK_SECONDS: i64 = 15 * 60;
/// How long Facebook's answer is waited for.
const DIALOG_SECONDS: i64 = 10 * 60;
/// How long Meta's code waits for the confirmation.
const HOLD_SECONDS: i64 = 120;
/// How long Meta may take over exchange and verification before the session counts as lost.
const FINISH_SECONDS: i64 = 5 * 60;
/// How long the token of another person waits to be accepted.
const ACCEPT_SECONDS: i64 = 10 * 60;
/// After this no session can be begun anew, however often it was tried.
const LONGEST_SECONDS: i64 = 60 * 60;
/// How long sessions are kept to look back at.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Most sessions forgotten in one transaction.
const PRUNED: i64 = 500;

const NOT_FOUND: Error = Error::NotFound { what: "the connect session" };
