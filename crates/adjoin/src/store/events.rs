use super::{Db, Json, Result, Tx, query::On, row, sql};
use crate::{
    id::{AccountId, EventId},
    service::events::Kind,
    time::Timestamp,
};

/// An event as it stands. `kind` is the column `type`.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its place in the order of all events.
    pub seq: i64,
    pub id: EventId,
    /// None: of no account, as what becomes of an endpoint for all of them.
    pub account_id: Option<AccountId>,
    pub kind: Kind,
    /// The lead, connection or ad object it is about.
    pub subject: String,
    pub data: Json<serde_json::Value>,
    /// Of a test lead.
    pub is_test: bool,
    pub at: Timestamp,
}
row!(Stored { seq, id, account_id, kind, subject, data, is_test, at });

/// Selects [`Stored`] rows.
macro_rules! stored {
    ($rest:literal) => {
        concat!("SELECT seq, id, account_id, type AS kind, subject, data, is_test, at FROM events ", $rest)
    };
}

#[derive(Debug)]
struct Last {
    last: i64,
}
row!(Last { last });

/// Takes the next number. Others who write events wait until this transaction ends, so that no reader sees a later
/// event before an earlier one.
pub async fn next_number(tx: &mut Tx) -> Result<i64> {
    sql("UPDATE event_numbers SET last = last + 1 WHERE id = 'events'").execute(tx).await?;
    let row: Option<Last> = sql("SELECT last FROM event_numbers WHERE id = 'events'").optional(tx).await?;
    Ok(row.map_or(0, |row| row.last))
}

/// The last number that was given and is committed: every event up to it can be seen.
pub async fn last_number(db: &Db) -> Result<i64> {
    let row: Option<Last> = sql("SELECT last FROM event_numbers WHERE id = 'events'").optional(db).await?;
    Ok(row.map_or(0, |row| row.last))
}

/// Gives the number back that this transaction took last: nothing was written under it.
pub async fn give_back(tx: &mut Tx) -> Result<()> {
    sql("UPDATE event_numbers SET last = last - 1 WHERE id = 'events'").execute(tx).await?;
    Ok(())
}

/// Adds an event, unless one of the same change of Meta's is there. False when it is. `change_hash`: none for what no
/// change of Meta's caused.
pub async fn insert(tx: &mut Tx, event: &Stored, change_hash: Option<Vec<u8>>) -> Result<bool> {
    let done = sql("INSERT INTO events (seq, id, account_id, type, subject, data, is_test, at, change_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (change_hash) WHERE change_hash IS NOT NULL DO NOTHING")
    .bind(event.seq)
    .bind(&event.id)
    .bind(event.account_id.as_ref())
    .bind(event.kind.as_str())
    .bind(&event.subject)
    .bind(event.data.clone())
    .bind(event.is_test)
    .bind(event.at)
    .bind(change_hash)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

pub async fn by_seq(on: impl Into<On<'_>>, seq: i64) -> Result<Option<Stored>> {
    sql(stored!("WHERE seq = $1")).bind(seq).optional(on).await
}

/// Which events are read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// None: of all accounts, and of none.
    pub account_id: Option<AccountId>,
    /// As `events::listed` writes them; empty for all.
    pub kinds: String,
}

/// Events behind a number, in their order.
pub async fn after(db: &Db, seq: i64, selection: &Selection, limit: i64) -> Result<Vec<Stored>> {
    // Two texts, since each has an index of its own.
    let text = if selection.account_id.is_some() {
        stored!(
            "WHERE account_id = $3 AND seq > $1 AND ($2 = '' OR $2 LIKE '%,' || type || ',%') ORDER BY seq LIMIT $4"
        )
    } else {
        stored!(
            "WHERE $3 = '' AND seq > $1 AND ($2 = '' OR $2 LIKE '%,' || type || ',%') ORDER BY seq LIMIT $4"
        )
    };
    sql(text)
        .bind(seq)
        .bind(&selection.kinds)
        .bind(selection.account_id.as_ref().map(AccountId::as_str).unwrap_or_default())
        .bind(limit)
        .all(db)
        .await
}

/// Events of a window of time, and what a replay needs to know of them.
#[derive(Debug, Clone)]
pub struct Window {
    pub from: Timestamp,
    /// Not included.
    pub until: Timestamp,
    pub selection: Selection,
    /// Whether those of test leads are among them.
    pub test_leads: bool,
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many events a window has; tests of endpoints do not count.
pub async fn count_in(tx: &mut Tx, window: &Window) -> Result<i64> {
    let row: Option<Count> = sql("SELECT COUNT(*) AS count FROM events
         WHERE at >= $1 AND at < $2 AND ($3 = '' OR account_id = $3) AND type <> 'endpoint.test'
             AND ($4 = '' OR $4 LIKE '%,' || type || ',%') AND ($5 OR NOT is_test)")
    .bind(window.from)
    .bind(window.until)
    .bind(window.selection.account_id.as_ref().map(AccountId::as_str).unwrap_or_default())
    .bind(&window.selection.kinds)
    .bind(window.test_leads)
    .optional(tx)
    .await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Forgets old events, and their deliveries with them, unless one of these is still on its way, or held since its endpoint
/// is disabled.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM events WHERE seq IN (
             SELECT seq FROM events WHERE at < $1
                 AND NOT EXISTS (SELECT 1 FROM deliveries d
                                 WHERE d.event_seq = events.seq AND d.status IN ('pending', 'held'))
             ORDER BY at LIMIT $2)")
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}
