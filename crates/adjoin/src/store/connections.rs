use super::{Result, Tx, sql};
use crate::vault::{Place, Scope, SealedRow};

/// Where a connection's token stands.
pub fn token_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "connections", column: "token_sealed", row }
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, account_id AS scope, token_sealed AS sealed FROM connections
         WHERE id > $1 AND token_sealed IS NOT NULL ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE connections SET token_sealed = $3 WHERE id = $1 AND token_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
