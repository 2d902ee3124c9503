use super::{Db, Json, Result, Tx, row, sql};
use crate::{
    service::subscriptions::{AppState, Object},
    time::Timestamp,
};

/// What the app itself is subscribed to, for one type of object.
#[derive(Debug, Clone)]
pub struct Stored {
    pub object: Object,
    pub state: Json<AppState>,
    pub checked_at: Option<Timestamp>,
    /// When it is due, or until when somebody is at it.
    pub check_at: Timestamp,
}
row!(Stored { object, state, checked_at, check_at });

/// Makes the row, due at once, unless it is there.
pub async fn insert_if_absent(tx: &mut Tx, object: Object, now: Timestamp) -> Result<()> {
    sql("INSERT INTO app_subscriptions (object, status, state, check_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (object) DO NOTHING")
    .bind(object.as_str())
    .bind(AppState::Pending.name())
    .bind(Json(AppState::Pending))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The row, held until the transaction ends.
pub async fn for_update(tx: &mut Tx, object: Object) -> Result<Option<Stored>> {
    sql("UPDATE app_subscriptions SET status = status WHERE object = $1
         RETURNING object, state, checked_at, check_at")
    .bind(object.as_str())
    .optional(tx)
    .await
}

pub async fn all(db: &Db) -> Result<Vec<Stored>> {
    sql("SELECT object, state, checked_at, check_at FROM app_subscriptions ORDER BY object").all(db).await
}

/// Takes those that are due; nobody else does until `leased_until`. What was planned later than `latest` comes from a
/// clock that was ahead, and is due.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    latest: Timestamp,
) -> Result<Vec<Stored>> {
    sql("UPDATE app_subscriptions SET check_at = $2 WHERE check_at <= $1 OR check_at > $3
         RETURNING object, state, checked_at, check_at")
    .bind(now)
    .bind(leased_until)
    .bind(latest)
    .all(tx)
    .await
}

/// Writes what a check found. A check that was asked for meanwhile stays due.
pub async fn settle(tx: &mut Tx, row: &Stored, leased_until: Timestamp, next: Timestamp) -> Result<()> {
    sql("UPDATE app_subscriptions SET status = $2, state = $3, checked_at = $4,
             check_at = CASE WHEN check_at = $5 THEN $6 ELSE check_at END
         WHERE object = $1")
    .bind(row.object.as_str())
    .bind(row.state.0.name())
    .bind(row.state.clone())
    .bind(row.checked_at)
    .bind(leased_until)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes those due that were not looked at within the last minute: whoever asks may ask often.
pub async fn check_soon(tx: &mut Tx, at: Timestamp) -> Result<u64> {
    sql("UPDATE app_subscriptions SET check_at = $1
         WHERE check_at > $1 AND (checked_at IS NULL OR checked_at <= $2)")
    .bind(at)
    .bind(at.plus_seconds(-60))
    .execute(tx)
    .await
}

/// Makes all of them due.
pub async fn check_all(tx: &mut Tx, at: Timestamp) -> Result<u64> {
    sql("UPDATE app_subscriptions SET check_at = $1").bind(at).execute(tx).await
}
