//! Each time a lead could not be read, and why.

use super::{Db, Json, Result, Tx, leads::Wait, row, sql};
use crate::{id::LeadId, service::leads::State, time::Timestamp};

#[derive(Debug)]
struct Stored {
    state: Json<State>,
}
row!(Stored { state });

/// A lead is parked, or gone, since this moment.
pub async fn insert(tx: &mut Tx, lead: &LeadId, state: &State, since: Timestamp) -> Result<()> {
    // Two in one millisecond: the later one holds.
    sql("INSERT INTO lead_parks (lead_id, since, state) VALUES ($1, $2, $3)
         ON CONFLICT (lead_id, since) DO UPDATE SET state = excluded.state")
    .bind(lead)
    .bind(since)
    .bind(Json(state.clone()))
    .execute(tx)
    .await?;
    Ok(())
}

/// The same for those that [`super::leads::park_page`] has parked anew in this transaction: those that were parked for the
/// same reason before kept the state that they had.
pub async fn insert_of_page(tx: &mut Tx, wait: &Wait<'_>) -> Result<()> {
    sql("INSERT INTO lead_parks (lead_id, since, state)
         SELECT id, $1, state FROM leads
         WHERE due_at = $2 AND account_id = $3 AND page_id = $4 AND state = $5
         ON CONFLICT (lead_id, since) DO UPDATE SET state = excluded.state")
    .bind(wait.now)
    .bind(wait.due_at)
    .bind(wait.account_id)
    .bind(wait.page_id)
    .bind(Json(wait.state.clone()))
    .execute(tx)
    .await?;
    Ok(())
}

/// The last so many, the oldest of them first.
pub async fn of_lead(db: &Db, lead: &LeadId, limit: i64) -> Result<Vec<State>> {
    let mut rows: Vec<Stored> =
        sql("SELECT state FROM lead_parks WHERE lead_id = $1 ORDER BY since DESC LIMIT $2")
            .bind(lead)
            .bind(limit)
            .all(db)
            .await?;
    rows.reverse();
    Ok(rows.into_iter().map(|row| row.state.0).collect())
}
