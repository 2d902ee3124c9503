//! Connections: the connector installed in an account, and the token behind it.

mod access;
mod assets;
mod departed;
mod disconnect;
mod lacking;
mod page_token;
mod refusal;
mod replace;
mod state;
mod test;
mod told;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{App, Error, Result, Who, accounts};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    store::{self, Json, Page, Tx, audit, connections as table, connectors::FACEBOOK_MARKETING},
    time::Timestamp,
};

pub use access::{Access, access};
pub use assets::{AdAccount, Assets, Business, PageAsset};
pub(super) use departed::{erase_person, forget_person};
pub use disconnect::{Disconnected, Revocation, disconnect};
pub use lacking::Remedy;
pub use page_token::{PageTokens, is_dead_page_token, page_access};
pub use refusal::report_refusal;
pub use replace::Verified;
pub(super) use replace::{replace, settle, subject_for_update};
pub use state::{Gap, GapKind, State, Trouble};
pub use test::{Check, CheckOutcome, TestReport, test};

/// Most connections one page holds.
pub const PAGE_MAX: usize = 100;

/// A connector installed in an account. It never holds a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Connection {
    pub id: ConnectionId,
    pub account_id: AccountId,
    #[serde(flatten)]
    pub state: State,
    /// Who consented. `None` until somebody has.
    pub subject: Option<Subject>,
    /// What we know of the token. `None` when there is none.
    pub token: Option<TokenFacts>,
    /// Permissions the consent asked for, with everything they need.
    pub wanted: Vec<String>,
    pub granted: Vec<String>,
    /// Asked for and refused by the person.
    pub declined: Vec<String>,
    pub assets: Assets,
    pub created_at: Timestamp,
    /// When the token that is in use was verified.
    pub connected_at: Option<Timestamp>,
    /// When Meta was last asked about the token.
    pub checked_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Who consented at Facebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The person's id in this app, or the id of the business portfolio's system user.
    pub id: String,
    pub name: Option<String>,
    /// The business portfolio behind a system user.
    pub business_id: Option<String>,
}

impl Subject {
    /// Whether both are the same person, or the same business.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.business_id, &other.business_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => self.id == other.id,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TokenFacts {
    pub kind: TokenKind,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Meta ends the access to some data 90 days after the person was last active. `None`: never.
    pub data_access_expires_at: Option<Timestamp>,
}

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A person.
    User,
    /// A business portfolio.
    SystemUser,
}

impl TokenKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::SystemUser => "system_user",
        }
    }
}

impl std::str::FromStr for TokenKind {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "user" => Ok(Self::User),
            "system_user" => Ok(Self::SystemUser),
            other => Err(format!("{other:?} is no kind of token")),
        }
    }
}

impl store::Column for Option<TokenKind> {
    fn read(row: &store::Row, name: &str) -> store::Result<Self> {
        store::read_optional_text(row, name)
    }
}

impl From<table::Stored> for Connection {
    fn from(row: table::Stored) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            state: row.state.0,
            subject: row.subject.0,
            token: row.token_kind.map(|kind| TokenFacts {
                kind,
                expires_at: row.token_expires_at,
                data_access_expires_at: row.data_access_expires_at,
            }),
            wanted: row.wanted.0,
            granted: row.granted.0,
            declined: row.declined.0,
            assets: row.assets.0,
            created_at: row.created_at,
            connected_at: row.connected_at,
            checked_at: row.checked_at,
            updated_at: row.updated_at,
        }
    }
}

/// Installs the connector in an account. There is one connection an account: a second call answers the first's.
pub async fn install(app: &App, actor: &Actor, account: &AccountId) -> Result<Connection> {
    accounts::get(app, account).await?;
    let now = app.clock.now();
    let id = ConnectionId::new();
    let mut tx = app.db.begin().await?;
    if table::insert_if_absent(&mut tx, &id, account, FACEBOOK_MARKETING, now).await? {
        let detail = json!({ "account": account, "connector": FACEBOOK_MARKETING });
        audit::insert(&mut tx, actor, "connection.installed", id.as_str(), detail, now).await?;
    }
    tx.commit().await?;
    list(app, account).await?.into_iter().next().ok_or(NOT_FOUND)
}

/// A connection of this account. One of another account is not found.
pub async fn get(app: &App, account: &AccountId, id: &ConnectionId) -> Result<Connection> {
    table::by_id(&app.db, account, id).await?.map(Connection::from).ok_or(NOT_FOUND)
}

pub async fn list(app: &App, account: &AccountId) -> Result<Vec<Connection>> {
    Ok(table::of_account(&app.db, account).await?.into_iter().map(Connection::from).collect())
}

/// Connections of all accounts, newest first. `state` is a state's name (`connected`, `broken` ...).
pub async fn find_all(
    app: &App,
    state: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Connection>> {
    let page = table::find(&app.db, state, after, limit.clamp(1, PAGE_MAX)).await?;
    Ok(Page { items: page.items.into_iter().map(Connection::from).collect(), next: page.next })
}

/// Breaks the connections whose tokens were made for another Meta app. Answers how many.
pub(super) async fn end_those_of_other_apps(tx: &mut Tx, app_id: &str, now: Timestamp) -> Result<usize> {
    let rows = table::of_other_apps(tx, FACEBOOK_MARKETING, app_id).await?;
    let ended = rows.len();
    for mut row in rows {
        let before = row.state.0.clone();
        row.state = Json(State::Broken {
            trouble: Trouble {
                title: "The connector was set up with another Meta app".to_owned(),
                message: "This connection was made with the Meta app that was set up before; its token is of no use \
                          to the one that is set up now."
                    .to_owned(),
                who: Who::Account,
                next_step: RECONNECT.to_owned(),
                code: None,
                subcode: None,
                since: now,
            },
        });
        row.updated_at = now;
        table::put(tx, &row).await?;
        told::tell(tx, &before, &row, now).await?;
    }
    Ok(ended)
}

const RECONNECT: &str = "let somebody of the account consent again through a connect link";
const NOT_FOUND: Error = Error::NotFound { what: "the connection" };
