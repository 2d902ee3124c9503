use super::{Db, Result, Tx, row, sql};
use crate::{id::DataKeyId, time::Timestamp};

/// A data key, wrapped by a master key. At most one a scope is current; retired ones still open old values.
#[derive(Debug, Clone)]
pub struct DataKey {
    pub id: DataKeyId,
    pub scope: String,
    pub master_key_id: String,
    pub wrapped: Vec<u8>,
    pub is_current: bool,
}
row!(DataKey { id, scope, master_key_id, wrapped, is_current });

pub async fn insert(tx: &mut Tx, key: &DataKey, now: Timestamp) -> Result<()> {
    tx.data_key = None;
    sql("INSERT INTO data_keys (id, scope, master_key_id, wrapped, is_current, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(&key.id)
    .bind(&key.scope)
    .bind(&key.master_key_id)
    .bind(key.wrapped.clone())
    .bind(key.is_current)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The key that seals. Asked once in a transaction that seals for one scope; what a rotation retires meanwhile still opens.
pub async fn current(tx: &mut Tx, scope: &str) -> Result<Option<DataKey>> {
    if tx.data_key.as_ref().is_none_or(|known| known.scope != scope) {
        tx.data_key =
            sql("SELECT id, scope, master_key_id, wrapped, is_current FROM data_keys WHERE scope = $1 AND is_current")
                .bind(scope)
                .optional(&mut *tx)
                .await?;
    }
    Ok(tx.data_key.clone())
}

pub async fn by_id(db: &Db, id: &str) -> Result<Option<DataKey>> {
    sql("SELECT id, scope, master_key_id, wrapped, is_current FROM data_keys WHERE id = $1")
        .bind(id)
        .optional(db)
        .await
}

/// One key of each master key that wraps any.
pub async fn one_of_each_master_key(db: &Db) -> Result<Vec<DataKey>> {
    sql("SELECT id, scope, master_key_id, wrapped, is_current FROM data_keys
         WHERE id IN (SELECT MIN(id) FROM data_keys GROUP BY master_key_id)")
    .all(db)
    .await
}

/// Keys that are not wrapped by this master key.
pub async fn wrapped_by_others(tx: &mut Tx, master_key_id: &str, limit: i64) -> Result<Vec<DataKey>> {
    sql("SELECT id, scope, master_key_id, wrapped, is_current FROM data_keys
         WHERE master_key_id <> $1 ORDER BY id LIMIT $2")
    .bind(master_key_id)
    .bind(limit)
    .all(tx)
    .await
}

pub async fn rewrap(tx: &mut Tx, id: &DataKeyId, master_key_id: &str, wrapped: &[u8]) -> Result<()> {
    tx.data_key = None;
    sql("UPDATE data_keys SET master_key_id = $2, wrapped = $3 WHERE id = $1")
        .bind(id)
        .bind(master_key_id)
        .bind(wrapped)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn retire(tx: &mut Tx, id: &DataKeyId, now: Timestamp) -> Result<()> {
    tx.data_key = None;
    sql("UPDATE data_keys SET is_current = FALSE, retired_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes keys that were retired before this moment.
pub async fn delete_retired(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    sql("DELETE FROM data_keys WHERE NOT is_current AND retired_at < $1").bind(before).execute(tx).await
}

/// Deletes the keys of this scope; answers them.
pub async fn delete_scope(tx: &mut Tx, scope: &str) -> Result<Vec<DataKey>> {
    tx.data_key = None;
    sql("DELETE FROM data_keys WHERE scope = $1 RETURNING id, scope, master_key_id, wrapped, is_current")
        .bind(scope)
        .all(tx)
        .await
}
