use super::{Db, Json, Result, Tx, row, sql};
use crate::{
    id::{AccountId, ConnectSessionId, ConnectionId},
    service::connect_sessions::{Dialog, Kind, Stage},
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// A connect session as it stands.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: ConnectSessionId,
    pub account_id: AccountId,
    pub connection_id: ConnectionId,
    pub kind: Json<Kind>,
    pub use_cases: Json<Vec<String>>,
    /// The Login for Business configuration to use, when one was named.
    pub configuration: Option<String>,
    /// The next dialog asks again for what was declined.
    pub rerequest: bool,
    pub stage: Json<Stage>,
    /// Of the browser that took the link.
    pub cookie_hash: Option<Vec<u8>>,
    pub state_used: bool,
    /// The dialog that is, or was last, open.
    pub dialog: Json<Option<Dialog>>,
    pub dialog_expires_at: Option<Timestamp>,
    pub completion_hash: Option<Vec<u8>>,
    pub held_sealed: Option<Vec<u8>>,
    pub held_expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}
row!(Stored {
    id,
    account_id,
    connection_id,
    kind,
    use_cases,
    configuration,
    rerequest,
    stage,
    cookie_hash,
    state_used,
    dialog,
    dialog_expires_at,
    completion_hash,
    held_sealed,
    held_expires_at,
    created_at,
    expires_at,
});

/// Selects [`Stored`] rows.
macro_rules! stored {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, connection_id, kind, use_cases, configuration, rerequest, stage, cookie_hash,
                    state_used, dialog, dialog_expires_at, completion_hash, held_sealed, held_expires_at, created_at,
                    expires_at
             FROM connect_sessions ",
            $rest
        )
    };
}

/// Where what waits for a confirmation stands.
pub fn held_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "connect_sessions", column: "held_sealed", row }
}

pub async fn insert(tx: &mut Tx, row: &Stored, token_hash: &[u8]) -> Result<()> {
    sql("INSERT INTO connect_sessions (id, account_id, connection_id, kind, use_cases, configuration, rerequest,
                                       token_hash, status, stage, state_used, dialog, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
    .bind(&row.id)
    .bind(&row.account_id)
    .bind(&row.connection_id)
    .bind(row.kind.clone())
    .bind(row.use_cases.clone())
    .bind(row.configuration.clone())
    .bind(row.rerequest)
    .bind(token_hash)
    .bind(row.stage.0.name())
    .bind(row.stage.clone())
    .bind(row.state_used)
    .bind(row.dialog.clone())
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn by_id(db: &Db, id: &ConnectSessionId) -> Result<Option<Stored>> {
    sql(stored!("WHERE id = $1")).bind(id).optional(db).await
}

pub async fn by_token(db: &Db, token_hash: &[u8]) -> Result<Option<Stored>> {
    sql(stored!("WHERE token_hash = $1")).bind(token_hash).optional(db).await
}

pub async fn by_state(db: &Db, state_hash: &[u8]) -> Result<Option<Stored>> {
    sql(stored!("WHERE state_hash = $1")).bind(state_hash).optional(db).await
}

/// The newest sessions of a connection.
pub async fn of_connection(db: &Db, id: &ConnectionId, limit: i64) -> Result<Vec<Stored>> {
    sql(stored!("WHERE connection_id = $1 ORDER BY id DESC LIMIT $2")).bind(id).bind(limit).all(db).await
}

/// Uses a state up. False when it is unknown, was used before, or is too old: only one caller ever gets true.
pub async fn consume_state(tx: &mut Tx, state_hash: &[u8], now: Timestamp) -> Result<bool> {
    let done = sql("UPDATE connect_sessions SET state_used = TRUE
         WHERE state_hash = $1 AND state_used = FALSE AND dialog_expires_at > $2")
    .bind(state_hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// Moves a session on, if it still stands where the caller saw it. Whatever was held is dropped, with the code that
/// would have confirmed it.
pub async fn advance(tx: &mut Tx, id: &ConnectSessionId, from: &Stage, to: &Stage) -> Result<bool> {
    let done = sql("UPDATE connect_sessions SET status = $3, stage = $4, held_sealed = NULL,
             held_expires_at = NULL, completion_hash = NULL
         WHERE id = $1 AND status = $2")
    .bind(id)
    .bind(from.name())
    .bind(to.name())
    .bind(Json(to.clone()))
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// What a session holds until it is confirmed.
#[derive(Debug)]
pub struct Held {
    pub sealed: Vec<u8>,
    pub until: Timestamp,
    /// Hash of the code with which the partner's backend confirms.
    pub completion_hash: Option<Vec<u8>>,
}

/// Moves a session on to a stage in which something waits for a confirmation.
pub async fn hold(tx: &mut Tx, id: &ConnectSessionId, from: &Stage, to: &Stage, held: Held) -> Result<bool> {
    let done = sql("UPDATE connect_sessions SET status = $3, stage = $4, held_sealed = $5,
             held_expires_at = $6, completion_hash = $7
         WHERE id = $1 AND status = $2")
    .bind(id)
    .bind(from.name())
    .bind(to.name())
    .bind(Json(to.clone()))
    .bind(held.sealed)
    .bind(held.until)
    .bind(held.completion_hash)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// The dialog opens: a fresh state, bound to the browser's cookie.
#[derive(Debug)]
pub struct Opening<'a> {
    pub cookie_hash: &'a [u8],
    pub state_hash: &'a [u8],
    pub dialog: Dialog,
    pub dialog_expires_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Sends a session to Facebook. A session that no browser has taken yet is taken by this one; one that was taken
/// goes on only in the browser with the same cookie.
pub async fn open_dialog(
    tx: &mut Tx,
    id: &ConnectSessionId,
    from: &Stage,
    to: &Stage,
    taken_by: Option<&[u8]>,
    opening: Opening<'_>,
) -> Result<bool> {
    let done = sql("UPDATE connect_sessions SET status = $3, stage = $4, cookie_hash = $5, state_hash = $6,
             state_used = FALSE, dialog = $7, dialog_expires_at = $8, expires_at = $9, rerequest = FALSE,
             held_sealed = NULL, held_expires_at = NULL, completion_hash = NULL
         WHERE id = $1 AND status = $2
           AND ((cookie_hash IS NULL AND $10 = FALSE) OR ($10 = TRUE AND cookie_hash = $11))")
    .bind(id)
    .bind(from.name())
    .bind(to.name())
    .bind(Json(to.clone()))
    .bind(opening.cookie_hash)
    .bind(opening.state_hash)
    .bind(Json(Some(opening.dialog)))
    .bind(opening.dialog_expires_at)
    .bind(opening.expires_at)
    .bind(taken_by.is_some())
    .bind(taken_by.unwrap_or_default())
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// Sessions in which the token of another person waits to be accepted.
pub async fn with_other_identity(tx: &mut Tx) -> Result<Vec<Stored>> {
    sql(stored!("WHERE status = 'other_identity' ORDER BY id")).all(tx).await
}

/// Ends every session of a connection that could still go on.
pub async fn cancel_of_connection(tx: &mut Tx, id: &ConnectionId) -> Result<u64> {
    sql("UPDATE connect_sessions SET status = $2, stage = $3, held_sealed = NULL, held_expires_at = NULL,
             completion_hash = NULL
         WHERE connection_id = $1 AND status NOT IN ('completed', 'expired', 'cancelled')")
    .bind(id)
    .bind(Stage::Cancelled.name())
    .bind(Json(Stage::Cancelled))
    .execute(tx)
    .await
}

/// Drops what was held for too long.
pub async fn drop_held(tx: &mut Tx, expired: &Stage, now: Timestamp) -> Result<u64> {
    sql("UPDATE connect_sessions SET status = $2, stage = $3, held_sealed = NULL, held_expires_at = NULL,
             completion_hash = NULL
         WHERE held_expires_at <= $1")
    .bind(now)
    .bind(expired.name())
    .bind(Json(expired.clone()))
    .execute(tx)
    .await
}

/// Removes some sessions made before `then`.
pub async fn prune(tx: &mut Tx, then: Timestamp, limit: i64) -> Result<u64> {
    sql("DELETE FROM connect_sessions WHERE id IN (SELECT id FROM connect_sessions WHERE created_at < $1 LIMIT $2)")
        .bind(then)
        .bind(limit)
        .execute(tx)
        .await
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, account_id AS scope, held_sealed AS sealed FROM connect_sessions
         WHERE id > $1 AND held_sealed IS NOT NULL ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE connect_sessions SET held_sealed = $3 WHERE id = $1 AND held_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
