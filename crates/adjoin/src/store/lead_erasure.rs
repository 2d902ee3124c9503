//! Forgetting leads. What is left of one is that it was here, for as long as Meta could bring it back.

use super::{Db, Json, Result, Tx, row, sql};
use crate::{
    id::{AccountId, LeadId},
    service::leads::State,
    time::Timestamp,
    vault::SealedRow,
};

/// Takes everything out of leads that was the person's. `state`: `Erased` or `Expired`.
pub async fn erase(tx: &mut Tx, id: &LeadId, state: &State) -> Result<()> {
    sql("UPDATE leads SET status = $2, state = $3, cause = NULL, detail_sealed = NULL, due_at = NULL,
             leased_until = NULL
         WHERE id = $1")
    .bind(id)
    .bind(state.name())
    .bind(Json(state.clone()))
    .execute(tx)
    .await?;
    forget_answers(tx, id).await
}

/// What endpoints answered may hold what they were sent.
async fn forget_answers(tx: &mut Tx, id: &LeadId) -> Result<()> {
    sql("UPDATE delivery_attempts SET response_sealed = NULL
         WHERE response_sealed IS NOT NULL AND delivery_id IN
             (SELECT id FROM deliveries WHERE event_seq IN (SELECT seq FROM events WHERE subject = $1))")
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(Debug)]
pub struct Keeping {
    pub id: AccountId,
    pub days: i64,
}
row!(Keeping { id, days });

/// Accounts that keep leads for a time only, and have some whose time is over.
pub async fn keeping_too_long(db: &Db, now: Timestamp) -> Result<Vec<Keeping>> {
    sql("SELECT a.id AS id, a.lead_retention_days AS days FROM accounts a
         WHERE a.lead_retention_days IS NOT NULL
             AND EXISTS (SELECT 1 FROM leads l
                         WHERE l.account_id = a.id AND l.status = 'hydrated'
                             AND l.hydrated_at < $1 - a.lead_retention_days * 86400000)
         ORDER BY a.id")
    .bind(now)
    .all(db)
    .await
}

#[derive(Debug)]
struct Id {
    id: LeadId,
}
row!(Id { id });

/// Leads of an account that were read before this moment and are still here, held until the transaction ends; those that
/// others hold are passed over. What was not read yet holds nothing, and is still to be delivered.
pub async fn outdated(
    tx: &mut Tx,
    account: &AccountId,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<LeadId>> {
    let text = if tx.locks_rows() {
        "SELECT id FROM leads WHERE account_id = $1 AND hydrated_at < $2 AND status = 'hydrated'
         ORDER BY hydrated_at LIMIT $3 FOR UPDATE SKIP LOCKED"
    } else {
        "SELECT id FROM leads WHERE account_id = $1 AND hydrated_at < $2 AND status = 'hydrated'
         ORDER BY hydrated_at LIMIT $3"
    };
    let rows: Vec<Id> = sql(text).bind(account).bind(before).bind(limit).all(tx).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Removes what is left of leads that came in before this moment.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM leads WHERE id IN
             (SELECT id FROM leads WHERE status IN ('erased', 'expired') AND seen_at < $1 LIMIT $2)")
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await
}

/// Meta's sealed answer for a lead.
#[derive(Debug)]
pub struct Sealed {
    pub id: LeadId,
    pub detail_sealed: Vec<u8>,
}
row!(Sealed { id, detail_sealed });

/// An account's leads that hold something, in the order of their ids.
pub async fn held(db: &Db, account: &AccountId, after: &str, limit: i64) -> Result<Vec<Sealed>> {
    sql("SELECT id, detail_sealed FROM leads WHERE account_id = $1 AND id > $2 AND detail_sealed IS NOT NULL
         ORDER BY id LIMIT $3")
    .bind(account)
    .bind(after)
    .bind(limit)
    .all(db)
    .await
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many of an account's leads are not read yet.
pub async fn unread(db: &Db, account: &AccountId) -> Result<i64> {
    let row: Option<Count> = sql("SELECT COUNT(*) AS count FROM leads
         WHERE account_id = $1 AND status IN ('seen', 'parked', 'gone') AND due_at IS NOT NULL")
    .bind(account)
    .optional(db)
    .await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Makes a lead that waits due.
pub async fn make_due(tx: &mut Tx, account: &AccountId, lead: &LeadId, now: Timestamp) -> Result<()> {
    sql("UPDATE leads SET due_at = $3, leased_until = NULL
         WHERE id = $2 AND account_id = $1 AND (due_at IS NOT NULL OR cause IS NOT NULL)")
    .bind(account)
    .bind(lead)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, account_id AS scope, detail_sealed AS sealed FROM leads
         WHERE id > $1 AND detail_sealed IS NOT NULL ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE leads SET detail_sealed = $3 WHERE id = $1 AND detail_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
