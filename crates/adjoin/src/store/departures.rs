use super::{Db, Result, Tx, query::On, row, sql};
use crate::time::Timestamp;

/// What became of a request of Meta's about a person who removed the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The confirmation code of a data deletion.
    pub code: Option<String>,
    /// How many connections held something of the person.
    pub connections: i64,
    /// When it was carried out.
    pub at: Timestamp,
}
row!(Departure { code, connections, at });

/// Takes note of a request before it is carried out. False when it was seen before: of two at once, one gets true.
pub async fn insert_if_absent(tx: &mut Tx, request_hash: &[u8], departure: &Departure) -> Result<bool> {
    let done = sql("INSERT INTO departures (request_hash, code, connections, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_hash) DO NOTHING")
    .bind(request_hash)
    .bind(departure.code.clone())
    .bind(departure.connections)
    .bind(departure.at)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// Writes down how many connections were cleared.
pub async fn count(tx: &mut Tx, request_hash: &[u8], connections: i64) -> Result<()> {
    sql("UPDATE departures SET connections = $2 WHERE request_hash = $1")
        .bind(request_hash)
        .bind(connections)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn by_request(on: impl Into<On<'_>>, request_hash: &[u8]) -> Result<Option<Departure>> {
    sql("SELECT code, connections, at FROM departures WHERE request_hash = $1")
        .bind(request_hash)
        .optional(on)
        .await
}

/// The data deletion with this confirmation code.
pub async fn by_code(db: &Db, code: &str) -> Result<Option<Departure>> {
    sql("SELECT code, connections, at FROM departures WHERE code = $1").bind(code).optional(db).await
}

/// Forgets requests without a code that were carried out before `then`.
pub async fn prune(tx: &mut Tx, then: Timestamp) -> Result<u64> {
    sql("DELETE FROM departures WHERE code IS NULL AND at < $1").bind(then).execute(tx).await
}
