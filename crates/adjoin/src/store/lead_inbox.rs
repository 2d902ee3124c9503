//! Lists of leads for people and partners. Nothing here is personal.

use super::{Db, Json, Page, Result, Tx, row, sql};
use crate::{
    id::{AccountId, EventId, LeadId},
    service::{
        events::Kind,
        leads::{Cause, Shown, State},
    },
    time::Timestamp,
};

/// A lead as a list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: LeadId,
    pub account_id: AccountId,
    pub account_name: String,
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    /// `None` while the form is not listed.
    pub form_name: Option<String>,
    pub is_test: bool,
    pub state: Json<State>,
    pub submitted_at: Option<Timestamp>,
    pub seen_at: Timestamp,
    pub hydrated_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    /// Who named it first.
    pub source: Option<String>,
}
row!(Listed {
    id,
    account_id,
    account_name,
    meta_lead_id,
    page_id,
    form_id,
    form_name,
    is_test,
    state,
    submitted_at,
    seen_at,
    hydrated_at,
    delivered_at,
    attempts,
    due_at,
    source,
});

/// Selects [`Listed`] rows.
macro_rules! listed {
    ($($rest:literal),+) => {
        concat!(
            "SELECT l.id AS id, l.account_id AS account_id, a.name AS account_name, l.meta_lead_id AS meta_lead_id,
                    l.page_id AS page_id, l.form_id AS form_id, f.name AS form_name, l.is_test AS is_test,
                    l.state AS state, l.submitted_at AS submitted_at, l.seen_at AS seen_at,
                    l.hydrated_at AS hydrated_at, l.delivered_at AS delivered_at, l.attempts AS attempts,
                    l.due_at AS due_at,
                    (SELECT s.source FROM lead_sightings s WHERE s.lead_id = l.id
                     ORDER BY s.first_at, s.source DESC LIMIT 1) AS source
             FROM leads l JOIN accounts a ON a.id = l.account_id
                  LEFT JOIN forms f ON f.account_id = l.account_id AND f.form_id = l.form_id
             WHERE ",
            $($rest),+
        )
    };
}

/// The newest first, before the cursor; of one account or of all, of one form (empty: of all).
pub async fn list(
    db: &Db,
    account: Option<&AccountId>,
    form_id: &str,
    shown: Shown,
    before: Option<&str>,
    limit: usize,
) -> Result<Page<Listed>> {
    // A text for each, since each has an index of its own.
    macro_rules! text {
        ($which:literal) => {
            if account.is_some() {
                listed!($which, " AND l.account_id = $1 AND ($2 = '' OR l.form_id = $2) AND l.id < $3 ORDER BY l.id DESC LIMIT $4")
            } else {
                listed!($which, " AND $1 = '' AND ($2 = '' OR l.form_id = $2) AND l.id < $3 ORDER BY l.id DESC LIMIT $4")
            }
        };
    }
    let text = match shown {
        Shown::All => text!("1 = 1"),
        Shown::Waiting => text!("l.due_at IS NOT NULL AND l.cause IS NULL"),
        Shown::Parked(None) => text!("l.cause IS NOT NULL AND l.status = 'parked'"),
        Shown::Parked(Some(Cause::Token)) => text!("l.cause = 'token'"),
        Shown::Parked(Some(Cause::Access)) => text!("l.cause = 'access'"),
        Shown::Parked(Some(Cause::Throttle)) => text!("l.cause = 'throttle'"),
        Shown::Parked(Some(Cause::Passing)) => text!("l.cause = 'passing'"),
        Shown::Gone => text!("l.cause = 'gone'"),
        Shown::Delivered => text!("l.delivered_at IS NOT NULL"),
        Shown::Undelivered => text!("l.status = 'hydrated' AND l.delivered_at IS NULL"),
        Shown::Erased => text!("l.status IN ('erased', 'expired')"),
    };
    let rows = sql(text)
        .bind(account.map_or("", AccountId::as_str))
        .bind(form_id)
        .bind(before.unwrap_or("lead_~"))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .all(db)
        .await?;
    Ok(Page::from_rows(rows, limit, |row: &Listed| row.id.to_string()))
}

pub async fn by_id(db: &Db, account: &AccountId, id: &LeadId) -> Result<Option<Listed>> {
    sql(listed!("l.id = $1 AND l.account_id = $2")).bind(id).bind(account).optional(db).await
}

/// Makes a lead due that is not read yet. False when it is read, or erased.
pub async fn retry(tx: &mut Tx, account: &AccountId, id: &LeadId, now: Timestamp) -> Result<bool> {
    let done = sql("UPDATE leads SET due_at = $3
         WHERE id = $1 AND account_id = $2 AND status IN ('seen', 'parked', 'gone')")
    .bind(id)
    .bind(account)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// Makes all leads due that are not read yet; of one account or of all.
pub async fn retry_all(tx: &mut Tx, account: Option<&AccountId>, now: Timestamp) -> Result<u64> {
    // Rows are held in one order, as by everybody who holds several.
    let text = if tx.locks_rows() {
        "UPDATE leads SET due_at = $2 WHERE id IN
             (SELECT id FROM leads WHERE (cause IS NOT NULL OR due_at IS NOT NULL) AND ($1 = '' OR account_id = $1)
              ORDER BY account_id, meta_lead_id FOR UPDATE)"
    } else {
        "UPDATE leads SET due_at = $2
         WHERE (cause IS NOT NULL OR due_at IS NOT NULL) AND ($1 = '' OR account_id = $1)"
    };
    sql(text).bind(account.map_or("", AccountId::as_str)).bind(now).execute(tx).await
}

/// An event about a subject.
#[derive(Debug, Clone)]
pub struct EventLine {
    pub id: EventId,
    pub kind: Kind,
    pub at: Timestamp,
}
row!(EventLine { id, kind, at });

/// The first events about a subject, in their order.
pub async fn events(db: &Db, account: &AccountId, subject: &str, limit: i64) -> Result<Vec<EventLine>> {
    sql("SELECT id, type AS kind, at FROM events WHERE subject = $1 AND account_id = $2 ORDER BY seq LIMIT $3")
        .bind(subject)
        .bind(account)
        .bind(limit)
        .all(db)
        .await
}
