use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{QuarantineId, WebhookId},
    service::{App, Result},
    store::{Page, Tx, quarantine as table, webhooks},
    time::Timestamp,
};

/// Why nobody could use a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No account has this Page or ad account. When one gets it, the change is sorted after all.
    UnknownObject,
    /// A field we do nothing with.
    UnknownField,
    /// Meta said that something changed, and not what: `include_values` is off. The next check of the app's subscription, which
    /// it causes, switches it on; leads are found by the sweep meanwhile.
    WithoutValues,
    /// It does not have the shape of its field.
    Unreadable,
    /// The *Test* button of Meta's dashboard: its ids do not exist.
    DashboardTest,
}

impl Reason {
    pub const ALL: [Self; 5] =
        [Self::UnknownObject, Self::UnknownField, Self::WithoutValues, Self::Unreadable, Self::DashboardTest];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownObject => "unknown_object",
            Self::UnknownField => "unknown_field",
            Self::WithoutValues => "without_values",
            Self::Unreadable => "unreadable",
            Self::DashboardTest => "dashboard_test",
        }
    }
}

/// A change that nobody could use, as it came.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Quarantined {
    pub id: QuarantineId,
    /// `unknown_object`, `unknown_field`, `without_values`, `unreadable` or `dashboard_test`.
    pub reason: String,
    /// `page` or `ad_account`, or what else Meta wrote.
    pub object: String,
    pub object_id: String,
    pub field: String,
    /// The body with this one change; text when it was no JSON.
    pub change: Value,
    pub received_at: Timestamp,
}

/// How many changes wait for one reason.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Counted {
    pub reason: String,
    pub count: i64,
    pub last_at: Timestamp,
}

/// What is put into the quarantine.
pub(super) struct New<'a> {
    pub reason: Reason,
    pub object: &'a str,
    pub object_id: &'a str,
    pub field: &'a str,
    /// The change as it came: it may hold personal data of any kind.
    pub change: String,
    pub received_at: Timestamp,
}

/// How long a change is kept: 30 days.
const KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// Most changes that one page of the list has.
pub const PAGE_MAX: usize = 100;
/// Most changes of one Page or ad account that are sorted again at once.
const RELEASED: i64 = 100;
/// Pages and ad accounts in one step.
const OBJECTS: i64 = 20;

pub(super) async fn put(app: &App, tx: &mut Tx, new: New<'_>) -> Result<()> {
    let id = QuarantineId::new();
    let place = table::change_place(id.as_str());
    let change_sealed = app.vault.seal(tx, &place, &new.change.into(), new.received_at).await?;
    let row = table::Stored {
        reason: new.reason.as_str().to_owned(),
        object: new.object.to_owned(),
        object_id: new.object_id.to_owned(),
        field: new.field.to_owned(),
        change_sealed,
        received_at: new.received_at,
        id,
    };
    table::insert(tx, &row).await?;
    Ok(())
}

/// Sorts again some of what waited for this Page or ad account (without `act_`) to become known; [`release_known`] goes on with the rest.
/// Answers how many changes. After the commit wake `app.wakes.sort`.
pub async fn release(app: &App, tx: &mut Tx, object: &str, object_id: &str) -> Result<usize> {
    let rows = table::of_object(tx, object, object_id, Reason::UnknownObject.as_str(), RELEASED).await?;
    for row in &rows {
        // Another process may be at it.
        if !table::delete(tx, &row.id).await? {
            continue;
        }
        let opened = app.vault.open(&table::change_place(row.id.as_str()), &row.change_sealed).await?;
        let body = webhooks::Stored {
            id: WebhookId::new(),
            received_at: row.received_at,
            body: opened.expose_secret().as_bytes().to_vec(),
        };
        webhooks::insert(tx, &[body]).await?;
    }
    Ok(rows.len())
}

/// Sorts again what waits for Pages and ad accounts that are known by now: what a connect left for later, and what came in
/// while it ran. True when there may be more.
pub async fn release_known(app: &App) -> Result<bool> {
    let mut released = 0;
    for it in table::subscribed(&app.db, Reason::UnknownObject.as_str(), OBJECTS).await? {
        let mut tx = app.db.begin_apart().await?;
        released += release(app, &mut tx, &it.object, &it.object_id).await?;
        tx.commit().await?;
        app.wakes.sort.notify_one();
    }
    Ok(released > 0)
}

/// The newest first.
pub async fn list(
    app: &App,
    reason: Option<Reason>,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Quarantined>> {
    let reason = reason.map(Reason::as_str).unwrap_or_default();
    let page = table::list(&app.db, reason, after, limit.clamp(1, PAGE_MAX)).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let opened = app.vault.open(&table::change_place(row.id.as_str()), &row.change_sealed).await?;
        let text = opened.expose_secret();
        items.push(Quarantined {
            change: serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
            id: row.id,
            reason: row.reason,
            object: row.object,
            object_id: row.object_id,
            field: row.field,
            received_at: row.received_at,
        });
    }
    Ok(Page { items, next: page.next })
}

pub async fn counts(app: &App) -> Result<Vec<Counted>> {
    let rows = table::counts(&app.db).await?;
    let counted = |row: table::Count| Counted { reason: row.reason, count: row.count, last_at: row.last_at };
    Ok(rows.into_iter().map(counted).collect())
}

/// When a change that came at this moment is forgotten.
pub fn quarantined_until(received_at: Timestamp) -> Timestamp {
    received_at.plus_seconds(KEPT_SECONDS)
}

/// Forgets some of what is older than it is kept; answers how many.
pub async fn prune(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(table::prune(tx, now.plus_seconds(-KEPT_SECONDS), limit).await?)
}
