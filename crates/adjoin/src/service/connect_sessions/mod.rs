//! Connect sessions: the short-lived right to connect an account, from the link to the confirmed consent.
//!
//! ```text
//! Created -> Opened -> AtFacebook -> CodeHeld -> Finishing -> Completed
//!                          |            |            |
//!                 Declined, Refused   Expired   OtherIdentity -> Completed
//! ```
//! Meta's code is not exchanged before the session is confirmed: by the partner's backend, which knows who is signed
//! in there, or, for a link, by an explicit press in the browser that began.

mod stage;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{App, Error, Result, connections};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectSessionId, ConnectionId},
    store::connect_sessions as table,
    time::Timestamp,
};

pub use stage::{Dialog, Refusal, Stage, Waiting};

/// How a session is opened and confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A link that is sent to somebody. The person confirms by a press.
    Link,
    /// Opened from the partner's product. The partner's backend confirms with [`complete`].
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

/// What a session is made from.
#[derive(Debug, Clone)]
pub struct NewConnectSession {
    pub account_id: AccountId,
    pub kind: Kind,
    /// Use cases to ask for; empty for all of the setup.
    pub use_cases: Vec<String>,
    /// A Login for Business configuration of the setup, by id. `None` picks one that covers the use cases.
    pub configuration: Option<String>,
    /// Ask again for permissions that were declined before.
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
            expires_at: row.expires_at,
        }
    }
}

/// Makes a session, installing the connector in the account if need be. Answers the secret of its URL
/// (`/connect/{secret}`) this once.
pub async fn create(
    app: &App,
    actor: &Actor,
    new: NewConnectSession,
) -> Result<(ConnectSession, SecretString)> {
    let _ = (app, actor, new);
    Err(NOT_FOUND)
}

/// A session of this account.
pub async fn get(app: &App, account: &AccountId, id: &ConnectSessionId) -> Result<ConnectSession> {
    let row = table::by_id(&app.db, id).await?.filter(|row| row.account_id == *account).ok_or(NOT_FOUND)?;
    Ok(ConnectSession::at(row, app.clock.now()))
}

/// Ends a session that has not completed.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
) -> Result<ConnectSession> {
    let _ = actor;
    get(app, account, id).await
}

/// The partner's backend confirms an embedded session: it knows who is signed in. Only now is Meta's code exchanged.
///
/// `end_user` must be the one the session was made for, if it was made for one. When another person or business than
/// before has consented, the answer is a conflict, and [`accept_identity`] decides.
pub async fn complete(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
    completion_code: &SecretString,
    end_user: Option<&str>,
) -> Result<connections::Connection> {
    let _ = (app, actor, account, id, completion_code, end_user);
    Err(NOT_FOUND)
}

/// Accepts that another person or business than before now stands behind the connection.
pub async fn accept_identity(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectSessionId,
) -> Result<connections::Connection> {
    let _ = (app, actor, account, id);
    Err(NOT_FOUND)
}

const NOT_FOUND: Error = Error::NotFound { what: "the connect session" };
