//! What partners see of subscriptions, and what they ask for.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{AppState, Object, State, app_level};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{App, Error, Result, accounts},
    store::{Page, Tx, app_subscriptions, audit, subscriptions as table},
    time::Timestamp,
};

/// Most subscriptions one page holds.
pub const PAGE_MAX: usize = 100;

/// A Page or an ad account whose webhooks go to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subscription {
    pub object: Object,
    /// Meta's id; an ad account's without `act_`.
    pub object_id: String,
    pub name: String,
    pub connection_id: ConnectionId,
    #[serde(flatten)]
    pub state: State,
    /// When Meta was last asked. `None`: not yet.
    pub checked_at: Option<Timestamp>,
    /// When it is looked at next, at the latest.
    pub check_at: Timestamp,
}

impl From<table::Stored> for Subscription {
    fn from(row: table::Stored) -> Self {
        Self {
            object: row.object,
            object_id: row.object_id,
            name: row.name,
            connection_id: row.connection_id,
            state: row.state.0,
            checked_at: row.checked_at,
            check_at: row.check_at,
        }
    }
}

/// The app's own subscription to one type of object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AppSubscription {
    pub object: Object,
    #[serde(flatten)]
    pub state: AppState,
    /// When Meta was last asked. `None`: not yet.
    pub checked_at: Option<Timestamp>,
    /// When it is looked at next, at the latest.
    pub check_at: Timestamp,
}

impl From<app_subscriptions::Stored> for AppSubscription {
    fn from(row: app_subscriptions::Stored) -> Self {
        Self { object: row.object, state: row.state.0, checked_at: row.checked_at, check_at: row.check_at }
    }
}

/// The account's Pages and ad accounts; the cursor is `object:id` of the last of the page before.
pub async fn list(
    app: &App,
    account: &AccountId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Subscription>> {
    accounts::get(app, account).await?;
    let limit = limit.clamp(1, PAGE_MAX);
    let after = after.and_then(|text| text.split_once(':')).unwrap_or_default();
    let after = (after.0.to_owned(), after.1.to_owned());
    let rows =
        table::of_account(&app.db, account, &after, i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1).await?;
    let rows: Vec<Subscription> = rows.into_iter().map(Subscription::from).collect();
    Ok(Page::from_rows(rows, limit, |row| format!("{}:{}", row.object.as_str(), row.object_id)))
}

/// Makes all subscriptions of the account due; the watchdog looks at them at once. Answers how many there are.
pub async fn check_all(app: &App, actor: &Actor, account: &AccountId) -> Result<u64> {
    accounts::get(app, account).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let due = table::check_all(&mut tx, account, now).await?;
    // Without the app's own, theirs bring nothing.
    app_subscriptions::check_soon(&mut tx, now).await?;
    audit::insert(&mut tx, actor, "subscriptions.check_asked", account.as_str(), json!({ "due": due }), now)
        .await?;
    tx.commit().await?;
    app.wakes.watch.notify_one();
    Ok(due)
}

/// The app's own subscriptions.
pub async fn of_app(app: &App) -> Result<Vec<AppSubscription>> {
    Ok(app_subscriptions::all(&app.db).await?.into_iter().map(AppSubscription::from).collect())
}

/// Makes the app's own subscriptions due: its secret, its host or the app itself changed. Wake `watch` after the commit.
pub async fn recheck_app(tx: &mut Tx, now: Timestamp) -> Result<()> {
    app_subscriptions::check_all(tx, now).await?;
    Ok(())
}

/// Sends the webhooks of this object here, whatever callback is registered for it at Meta.
pub async fn take_over(app: &App, actor: &Actor, object: &str) -> Result<AppSubscription> {
    let object = object.parse().map_err(|_| Error::NotFound { what: "the subscription" })?;
    Ok(app_level::take_over(app, actor, object).await?.into())
}
