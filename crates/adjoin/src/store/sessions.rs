use super::{Db, Result, Tx, row, sql};
use crate::{id::OperatorId, time::Timestamp};

/// An operator's session, with who it is.
#[derive(Debug, Clone)]
pub struct Session {
    pub operator_id: OperatorId,
    pub name: String,
    pub email: String,
    pub expires_at: Timestamp,
}
row!(Session { operator_id, name, email, expires_at });

pub async fn insert(
    tx: &mut Tx,
    token_hash: &[u8],
    operator: &OperatorId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sql("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(tx).await?;
    sql("INSERT INTO sessions (token_hash, operator_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(token_hash)
        .bind(operator)
        .bind(now)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn live(db: &Db, token_hash: &[u8], now: Timestamp) -> Result<Option<Session>> {
    sql("SELECT s.operator_id AS operator_id, o.name AS name, o.email AS email, s.expires_at AS expires_at
         FROM sessions s JOIN operators o ON o.id = s.operator_id
         WHERE s.token_hash = $1 AND s.expires_at > $2")
    .bind(token_hash)
    .bind(now)
    .optional(db)
    .await
}

pub async fn delete(tx: &mut Tx, token_hash: &[u8]) -> Result<()> {
    sql("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(tx).await?;
    Ok(())
}
