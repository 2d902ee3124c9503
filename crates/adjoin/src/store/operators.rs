use super::{Db, Result, Tx, row, sql};
use crate::{id::OperatorId, time::Timestamp};

/// Somebody of the partner's who signs in to the console.
#[derive(Debug, Clone)]
pub struct Operator {
    pub id: OperatorId,
    /// In lower case.
    pub email: String,
    pub name: String,
    /// Argon2id, in PHC text form.
    pub password_hash: String,
}
row!(Operator { id, email, name, password_hash });

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

#[derive(Debug)]
struct Named {
    name: String,
}
row!(Named { name });

pub async fn any(db: &Db) -> Result<bool> {
    Ok(sql("SELECT COUNT(*) AS count FROM operators").all::<Count>(db).await?.iter().any(|row| row.count > 0))
}

pub async fn insert(tx: &mut Tx, operator: &Operator, now: Timestamp) -> Result<()> {
    sql("INSERT INTO operators (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&operator.id)
        .bind(&operator.email)
        .bind(&operator.name)
        .bind(&operator.password_hash)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn by_email(db: &Db, email: &str) -> Result<Option<Operator>> {
    sql("SELECT id, email, name, password_hash FROM operators WHERE email = $1")
        .bind(email)
        .optional(db)
        .await
}

pub async fn name(db: &Db, id: &str) -> Result<Option<String>> {
    let named = sql("SELECT name FROM operators WHERE id = $1").bind(id).optional::<Named>(db).await?;
    Ok(named.map(|row| row.name))
}

/// Keeps the hash of a one-time link that lets somebody create an operator.
pub async fn insert_invite(
    tx: &mut Tx,
    token_hash: &[u8],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sql("INSERT INTO operator_invites (token_hash, created_at, expires_at) VALUES ($1, $2, $3)")
        .bind(token_hash)
        .bind(now)
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses the invite up; false when it was not there or too old.
pub async fn consume_invite(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<bool> {
    let found = sql("DELETE FROM operator_invites WHERE token_hash = $1 AND expires_at > $2")
        .bind(token_hash)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(found == 1)
}

/// Drops all invites: a new first-start link replaces the one before.
pub async fn delete_invites(tx: &mut Tx) -> Result<()> {
    sql("DELETE FROM operator_invites").execute(tx).await?;
    Ok(())
}
