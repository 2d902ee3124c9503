//! What a process that ended in the midst of its work has left leased.
//!
//! Leases end by themselves, after minutes. Whoever begins to work on a database and finds itself alone there need not wait:
//! nobody is at what is leased. Were somebody there all the same, nothing would be lost; a lease is looked at again before
//! what it was taken for is written.

use sqlx::{Connection as _, PgConnection, Postgres};

use super::{Db, Error, Result, db::Pools, sql};
use crate::time::Timestamp;

/// The advisory lock that every process holds, shared, that works on a PostgreSQL database.
const AT_WORK: i64 = 0xad02;
/// The longest lease of a row that has no column of its own for it: such a row may as well be due by then.
const LONGEST_SECONDS: i64 = 15 * 60;

/// When what is planned is due: until now; and, with nothing due by then, later than anything is planned. That comes from a
/// clock that was ahead. Two ranges, since an OR of them is found by no index.
pub(super) fn due(now: Timestamp, latest: Timestamp) -> [(Timestamp, Timestamp); 2] {
    [(Timestamp::from_unix(0), now), (latest, Timestamp::from_unix(i64::from(u32::MAX)))]
}

/// Ends the leases of everybody, to be called before any work, and answers what to hold as long as work goes on. Where another
/// process works on the database, its leases stand.
pub async fn begin_work(db: &Db, now: Timestamp) -> Result<Option<AtWork>> {
    let Pools::Postgres(pool) = &db.pools else {
        // A file has one process.
        end_all(db, now).await?;
        return Ok(None);
    };
    let mut connection = pool.acquire().await.map_err(Error::Transaction)?.detach();
    let alone: bool = advise("SELECT pg_try_advisory_lock($1)", &mut connection).await?;
    if alone {
        end_all(db, now).await?;
    }
    // Waits for whoever has just found itself alone.
    advise::<()>("SELECT pg_advisory_lock_shared($1)", &mut connection).await?;
    if alone {
        advise::<bool>("SELECT pg_advisory_unlock($1)", &mut connection).await?;
    }
    Ok(Some(AtWork(connection)))
}

/// Tells others that this process works on the database, until it ends.
#[derive(Debug)]
pub struct AtWork(PgConnection);

impl AtWork {
    pub async fn end(mut self) {
        // The server notices anyway, a moment later.
        let _ = advise::<bool>("SELECT pg_advisory_unlock_shared($1)", &mut self.0).await;
        let _ = self.0.close().await;
    }
}

async fn advise<T>(statement: &'static str, on: &mut PgConnection) -> Result<T>
where
    T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> + Send + Unpin,
{
    let answer = sqlx::query_scalar(statement).bind(AT_WORK).fetch_one(on).await;
    answer.map_err(|source| Error::Statement { statement, source })
}

async fn end_all(db: &Db, now: Timestamp) -> Result<()> {
    let soon = now.plus_seconds(LONGEST_SECONDS);
    let mut tx = db.begin_apart().await?;
    sql("UPDATE leads SET leased_until = NULL WHERE due_at IS NOT NULL AND leased_until IS NOT NULL")
        .execute(&mut tx)
        .await?;
    sql("UPDATE forms SET leased_until = NULL WHERE leased_until IS NOT NULL").execute(&mut tx).await?;
    sql("UPDATE canaries SET leased_until = NULL WHERE leased_until IS NOT NULL").execute(&mut tx).await?;
    // A claim moved these to the end of its lease.
    sql("UPDATE deliveries SET due_at = $1, leased_until = NULL WHERE status = 'pending' AND leased_until IS NOT NULL")
        .bind(now)
        .execute(&mut tx)
        .await?;
    for due in [
        "UPDATE subscriptions SET check_at = $1 WHERE check_at > $1 AND check_at <= $2",
        "UPDATE subscriptions SET list_forms_at = $1 WHERE list_forms_at > $1 AND list_forms_at <= $2",
        "UPDATE app_subscriptions SET check_at = $1 WHERE check_at > $1 AND check_at <= $2",
    ] {
        sql(due).bind(now).bind(soon).execute(&mut tx).await?;
    }
    tx.commit().await
}
