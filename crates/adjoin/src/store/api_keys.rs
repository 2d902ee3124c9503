use super::{Db, Result, Tx, row, sql};
use crate::{
    id::{AccountId, ApiKeyId},
    time::Timestamp,
};

/// A key for the JSON API. Without an account it is the partner's, for all accounts.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub account_id: Option<AccountId>,
    pub name: String,
    /// The last characters, so that people can tell keys apart.
    pub hint: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}
row!(ApiKey { id, account_id, name, hint, created_at, last_used_at });

#[derive(Debug)]
struct Named {
    name: String,
}
row!(Named { name });

pub async fn insert(tx: &mut Tx, key: &ApiKey, token_hash: &[u8]) -> Result<()> {
    sql("INSERT INTO api_keys (id, account_id, name, token_hash, hint, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&key.id)
        .bind(key.account_id.as_ref())
        .bind(&key.name)
        .bind(token_hash)
        .bind(&key.hint)
        .bind(key.created_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn live_by_hash(db: &Db, token_hash: &[u8]) -> Result<Option<ApiKey>> {
    sql("SELECT id, account_id, name, hint, created_at, last_used_at FROM api_keys
         WHERE token_hash = $1 AND revoked_at IS NULL")
    .bind(token_hash)
    .optional(db)
    .await
}

pub async fn list(db: &Db) -> Result<Vec<ApiKey>> {
    sql("SELECT id, account_id, name, hint, created_at, last_used_at FROM api_keys
         WHERE revoked_at IS NULL ORDER BY id DESC")
    .all(db)
    .await
}

/// The name of a key, revoked or not.
pub async fn name(db: &Db, id: &str) -> Result<Option<String>> {
    let named = sql("SELECT name FROM api_keys WHERE id = $1").bind(id).optional::<Named>(db).await?;
    Ok(named.map(|row| row.name))
}

/// Notes the key's use, unless somebody did after `since`.
pub async fn touch(tx: &mut Tx, id: &ApiKeyId, now: Timestamp, since: Timestamp) -> Result<()> {
    sql("UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)")
        .bind(id)
        .bind(now)
        .bind(since)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn revoke(tx: &mut Tx, id: &ApiKeyId, now: Timestamp) -> Result<bool> {
    Ok(sql("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?
        == 1)
}
