use super::{Db, Page, Result, Tx, row, sql};
use crate::{
    id::QuarantineId,
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// A change that nobody could use.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: QuarantineId,
    pub reason: String,
    /// `page` or `ad_account`, or what else Meta wrote.
    pub object: String,
    /// Of the Page or ad account, the latter without `act_`.
    pub object_id: String,
    pub field: String,
    /// The body with this one change, as JSON.
    pub change_sealed: Vec<u8>,
    pub received_at: Timestamp,
}
row!(Stored { id, reason, object, object_id, field, change_sealed, received_at });

const SCOPE: &Scope = &Scope::Partner;

/// Where a change stands.
pub fn change_place(row: &str) -> Place<'_> {
    Place { scope: SCOPE, table: "quarantine", column: "change_sealed", row }
}

pub async fn insert(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("INSERT INTO quarantine (id, reason, object, object_id, field, change_sealed, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&row.id)
    .bind(&row.reason)
    .bind(&row.object)
    .bind(&row.object_id)
    .bind(&row.field)
    .bind(row.change_sealed.clone())
    .bind(row.received_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Some changes of one Page or ad account that waited for it to become known, the oldest.
pub async fn of_object(
    tx: &mut Tx,
    object: &str,
    object_id: &str,
    reason: &str,
    limit: i64,
) -> Result<Vec<Stored>> {
    sql("SELECT id, reason, object, object_id, field, change_sealed, received_at FROM quarantine
         WHERE object = $1 AND object_id = $2 AND reason = $3 ORDER BY id LIMIT $4")
    .bind(object)
    .bind(object_id)
    .bind(reason)
    .bind(limit)
    .all(tx)
    .await
}

/// A Page or an ad account.
#[derive(Debug)]
pub struct Object {
    pub object: String,
    pub object_id: String,
}
row!(Object { object, object_id });

/// Some Pages and ad accounts that have changes here for this reason and are subscribed now.
pub async fn subscribed(db: &Db, reason: &str, limit: i64) -> Result<Vec<Object>> {
    sql("SELECT DISTINCT q.object AS object, q.object_id AS object_id
         FROM quarantine q JOIN subscriptions s ON s.object = q.object AND s.object_id = q.object_id
         WHERE q.reason = $1 LIMIT $2")
    .bind(reason)
    .bind(limit)
    .all(db)
    .await
}

/// False when it was gone already.
pub async fn delete(tx: &mut Tx, id: &QuarantineId) -> Result<bool> {
    Ok(sql("DELETE FROM quarantine WHERE id = $1").bind(id).execute(tx).await? == 1)
}

/// Forgets some of what came before this moment.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE received_at < $1 LIMIT $2)")
        .bind(before)
        .bind(limit)
        .execute(tx)
        .await
}

/// The newest first, before the cursor; `reason` empty for all.
pub async fn list(db: &Db, reason: &str, before: Option<&str>, limit: usize) -> Result<Page<Stored>> {
    let rows = sql("SELECT id, reason, object, object_id, field, change_sealed, received_at FROM quarantine
         WHERE ($1 = '' OR reason = $1) AND id < $2 ORDER BY id DESC LIMIT $3")
    .bind(reason)
    .bind(before.unwrap_or(QuarantineId::BEYOND))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
    .all(db)
    .await?;
    Ok(Page::from_rows(rows, limit, |row: &Stored| row.id.to_string()))
}

#[derive(Debug, Clone)]
pub struct Count {
    pub reason: String,
    pub count: i64,
    /// When the newest came.
    pub last_at: Timestamp,
}
row!(Count { reason, count, last_at });

pub async fn counts(db: &Db) -> Result<Vec<Count>> {
    sql("SELECT reason, COUNT(*) AS count, MAX(received_at) AS last_at FROM quarantine GROUP BY reason ORDER BY reason")
        .all(db)
        .await
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, 'partner' AS scope, change_sealed AS sealed FROM quarantine
         WHERE id > $1 ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE quarantine SET change_sealed = $3 WHERE id = $1 AND change_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::on_each_database;

    #[test]
    fn old_changes_go_step_by_step_and_others_stay() {
        on_each_database(async |database| {
            let now = Timestamp::from_unix(1_795_514_400);
            let mut tx = database.db.begin().await.unwrap();
            for age in [30, 20, 10, 0] {
                let row = Stored {
                    id: QuarantineId::new(),
                    reason: "test".to_owned(),
                    object: "page".to_owned(),
                    object_id: "1".to_owned(),
                    field: "leadgen".to_owned(),
                    change_sealed: Vec::new(),
                    received_at: now.plus_seconds(-age),
                };
                insert(&mut tx, &row).await.unwrap();
            }
            for gone in [2, 1, 0] {
                assert_eq!(prune(&mut tx, now, 2).await.unwrap(), gone);
            }
            tx.commit().await.unwrap();
            let left = list(&database.db, "", None, 9).await.unwrap().items;
            assert_eq!(left.iter().map(|row| row.received_at).collect::<Vec<_>>(), [now]);
        });
    }
}
