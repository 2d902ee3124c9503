//! Leads that Meta is about to forget.

use super::{
    Result, Tx,
    leads::{Stored, stored},
    sql,
};
use crate::time::Timestamp;

macro_rules! expiring {
    ($lock:literal) => {
        concat!(
            "UPDATE leads SET expiry_told_at = $2 WHERE id IN
                 (SELECT id FROM leads WHERE due_at IS NOT NULL AND expiry_told_at IS NULL
                      AND COALESCE(submitted_at, seen_at) < $1 AND status IN ('seen', 'parked')
                  ORDER BY COALESCE(submitted_at, seen_at) LIMIT $3",
            $lock,
            ") RETURNING ",
            stored!()
        )
    };
}

/// Takes leads that wait, were sent before this moment and were not taken before; those that others hold come later.
pub async fn take_expiring(
    tx: &mut Tx,
    submitted_until: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    let text = if tx.locks_rows() { expiring!(" FOR UPDATE SKIP LOCKED") } else { expiring!("") };
    sql(text).bind(submitted_until).bind(now).bind(limit).all(tx).await
}
