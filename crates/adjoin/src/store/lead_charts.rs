//! Sums over leads, for charts and counters. They read; nothing here writes.

use super::{Db, Result, row, sql};
use crate::{id::AccountId, time::Timestamp};

/// Leads of one day with about the same age at delivery.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// Milliseconds from submission to delivery, rounded down to about three digits; `None`: not delivered, or one that was
    /// there before we were.
    pub age: Option<i64>,
    pub count: i64,
}
row!(Bucket { day, age, count });

/// Leads submitted since then by day and age, test leads apart; an empty account takes all. The rounding keeps the answer
/// small however many leads there are: a day has at most about 1,800 buckets.
pub async fn by_day_and_age(db: &Db, account: Option<&AccountId>, since: Timestamp) -> Result<Vec<Bucket>> {
    sql("SELECT it.day AS day,
                CASE WHEN it.age IS NULL THEN NULL
                     WHEN it.age < 1000 THEN it.age / 10 * 10
                     WHEN it.age < 60000 THEN it.age / 100 * 100
                     WHEN it.age < 3600000 THEN it.age / 10000 * 10000
                     WHEN it.age < 86400000 THEN it.age / 300000 * 300000
                     ELSE it.age / 3600000 * 3600000 END AS age,
                COUNT(*) AS count
         FROM (SELECT l.submitted_at / 86400000 AS day,
                      CASE WHEN NOT EXISTS (SELECT 1 FROM lead_sightings s WHERE s.lead_id = l.id
                                            AND s.source = 'backfill' AND s.first_at <= l.seen_at)
                           THEN l.delivered_at - l.submitted_at END AS age
               FROM leads l
               WHERE l.submitted_at >= $1 AND ($2 = '' OR l.account_id = $2) AND NOT l.is_test) it
         GROUP BY 1, 2 ORDER BY 1, 2")
    .bind(since)
    .bind(account.map_or("", AccountId::as_str))
    .all(db)
    .await
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// Pages and ad accounts whose webhooks do not come, or whose leads cannot be read.
pub async fn faulty(db: &Db) -> Result<i64> {
    let row: Option<Count> =
        sql("SELECT COUNT(*) AS count FROM subscriptions WHERE status = 'faulty'").optional(db).await?;
    Ok(row.map_or(0, |row| row.count))
}
