use super::{Json, Result, Tx, row, sql};
use crate::{
    id::{AccountId, EventId},
    time::Timestamp,
};

/// An event as it stands. `kind` is the column `type`.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its place in the order of all events.
    pub seq: i64,
    pub id: EventId,
    pub account_id: AccountId,
    pub kind: String,
    /// The lead, connection or ad object it is about.
    pub subject: String,
    pub data: Json<serde_json::Value>,
    pub at: Timestamp,
}
row!(Stored { seq, id, account_id, kind, subject, data, at });

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

pub async fn insert(tx: &mut Tx, event: &Stored) -> Result<()> {
    sql("INSERT INTO events (seq, id, account_id, type, subject, data, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(event.seq)
        .bind(&event.id)
        .bind(&event.account_id)
        .bind(&event.kind)
        .bind(&event.subject)
        .bind(event.data.clone())
        .bind(event.at)
        .execute(tx)
        .await?;
    Ok(())
}
