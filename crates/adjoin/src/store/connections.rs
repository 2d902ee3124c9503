use super::{Db, Json, Page, Result, Tx, query::On, row, sql};
use crate::{
    id::{AccountId, ConnectionId},
    service::connections::{Assets, State, Subject, TokenKind},
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// A connection as it stands, without its token.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: ConnectionId,
    pub account_id: AccountId,
    pub state: Json<State>,
    /// The Meta app the token was made for.
    pub app_id: Option<String>,
    pub subject: Json<Option<Subject>>,
    pub token_kind: Option<TokenKind>,
    pub token_expires_at: Option<Timestamp>,
    pub data_access_expires_at: Option<Timestamp>,
    pub wanted: Json<Vec<String>>,
    pub granted: Json<Vec<String>>,
    pub declined: Json<Vec<String>>,
    pub assets: Json<Assets>,
    pub created_at: Timestamp,
    pub connected_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}
row!(Stored {
    id,
    account_id,
    state,
    app_id,
    subject,
    token_kind,
    token_expires_at,
    data_access_expires_at,
    wanted,
    granted,
    declined,
    assets,
    created_at,
    connected_at,
    checked_at,
    updated_at,
});

/// Selects [`Stored`] rows.
macro_rules! stored {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, state, app_id, subject, token_kind, token_expires_at, data_access_expires_at,
                    wanted, granted, declined, assets, created_at, connected_at, checked_at, updated_at
             FROM connections ",
            $rest
        )
    };
}

/// What a call needs: the sealed token beside the sealed secret of its app, in one read.
#[derive(Debug)]
pub struct Keys {
    pub state: Json<State>,
    pub app_id: Option<String>,
    pub token_sealed: Option<Vec<u8>>,
    pub token_expires_at: Option<Timestamp>,
    pub connected_at: Option<Timestamp>,
    pub granted: Json<Vec<String>>,
    pub client_id: String,
    pub client_secret_sealed: Vec<u8>,
    pub graph_version: String,
}
row!(Keys {
    state,
    app_id,
    token_sealed,
    token_expires_at,
    connected_at,
    granted,
    client_id,
    client_secret_sealed,
    graph_version,
});

/// Where a connection's token stands.
pub fn token_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "connections", column: "token_sealed", row }
}

/// Adds an installed connection, unless the account has one of this connector.
pub async fn insert_if_absent(
    tx: &mut Tx,
    id: &ConnectionId,
    account: &AccountId,
    connector: &str,
    now: Timestamp,
) -> Result<bool> {
    let done =
        sql("INSERT INTO connections (id, account_id, connector_id, status, state, subject, wanted, granted,
                                  declined, assets, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'null', '[]', '[]', '[]', $6, $7, $7)
         ON CONFLICT (account_id, connector_id) DO NOTHING")
        .bind(id)
        .bind(account)
        .bind(connector)
        .bind(State::Installed.name())
        .bind(Json(State::Installed))
        .bind(Json(Assets::default()))
        .bind(now)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

pub async fn by_id(db: &Db, account: &AccountId, id: &ConnectionId) -> Result<Option<Stored>> {
    sql(stored!("WHERE id = $1 AND account_id = $2")).bind(id).bind(account).optional(db).await
}

/// The same, with the row held until the transaction ends.
pub async fn by_id_for_update(tx: &mut Tx, account: &AccountId, id: &ConnectionId) -> Result<Option<Stored>> {
    // An update that changes nothing holds the row on PostgreSQL; SQLite has one writer anyway.
    sql("UPDATE connections SET updated_at = updated_at WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .execute(tx)
        .await?;
    sql(stored!("WHERE id = $1 AND account_id = $2")).bind(id).bind(account).optional(tx).await
}

pub async fn of_account(db: &Db, account: &AccountId) -> Result<Vec<Stored>> {
    sql(stored!("WHERE account_id = $1 ORDER BY id")).bind(account).all(db).await
}

/// Connections of all accounts, newest first, before the cursor; `status` narrows them to one state.
pub async fn find(db: &Db, status: Option<&str>, before: Option<&str>, limit: usize) -> Result<Page<Stored>> {
    let rows = sql(stored!("WHERE ($1 = '' OR status = $1) AND id < $2 ORDER BY id DESC LIMIT $3"))
        .bind(status.unwrap_or_default())
        .bind(before.unwrap_or(ConnectionId::BEYOND))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .all(db)
        .await?;
    Ok(Page::from_rows(rows, limit, |row: &Stored| row.id.to_string()))
}

#[derive(Debug)]
struct Id {
    id: ConnectionId,
}
row!(Id { id });

/// The connection of an account that has exactly one.
pub async fn sole_of_account(db: &Db, account: &AccountId) -> Result<Option<ConnectionId>> {
    let mut rows: Vec<Id> =
        sql("SELECT id FROM connections WHERE account_id = $1 LIMIT 2").bind(account).all(db).await?;
    let first = rows.pop();
    Ok(first.filter(|_| rows.is_empty()).map(|row| row.id))
}

pub async fn keys(db: &Db, account: &AccountId, id: &ConnectionId) -> Result<Option<Keys>> {
    sql("SELECT n.state AS state, n.app_id AS app_id, n.token_sealed AS token_sealed,
                n.token_expires_at AS token_expires_at, n.connected_at AS connected_at, n.granted AS granted,
                c.client_id AS client_id, c.client_secret_sealed AS client_secret_sealed,
                c.graph_version AS graph_version
         FROM connections n JOIN connectors c ON c.id = n.connector_id
         WHERE n.id = $1 AND n.account_id = $2")
    .bind(id)
    .bind(account)
    .optional(db)
    .await
}

/// Writes everything but the token.
pub async fn put(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("UPDATE connections SET status = $3, state = $4, app_id = $5, subject_id = $6, subject = $7, token_kind = $8,
             token_expires_at = $9, data_access_expires_at = $10, wanted = $11, granted = $12, declined = $13,
             assets = $14, connected_at = $15, checked_at = $16, updated_at = $17
         WHERE id = $1 AND account_id = $2")
    .bind(&row.id)
    .bind(&row.account_id)
    .bind(row.state.0.name())
    .bind(row.state.clone())
    .bind(row.app_id.clone())
    .bind(row.subject.0.as_ref().map(|subject| subject.id.clone()))
    .bind(row.subject.clone())
    .bind(row.token_kind.map(TokenKind::as_str).map(str::to_owned))
    .bind(row.token_expires_at)
    .bind(row.data_access_expires_at)
    .bind(row.wanted.clone())
    .bind(row.granted.clone())
    .bind(row.declined.clone())
    .bind(row.assets.clone())
    .bind(row.connected_at)
    .bind(row.checked_at)
    .bind(row.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Replaces the token; `None` erases it.
pub async fn put_token(tx: &mut Tx, id: &ConnectionId, token_sealed: Option<Vec<u8>>) -> Result<()> {
    sql("UPDATE connections SET token_sealed = $2 WHERE id = $1")
        .bind(id)
        .bind(token_sealed)
        .execute(tx)
        .await?;
    Ok(())
}

#[derive(Debug)]
struct Token {
    token_sealed: Option<Vec<u8>>,
}
row!(Token { token_sealed });

/// The sealed token.
pub async fn token(on: impl Into<On<'_>>, id: &ConnectionId) -> Result<Option<Vec<u8>>> {
    let row: Option<Token> =
        sql("SELECT token_sealed FROM connections WHERE id = $1").bind(id).optional(on).await?;
    Ok(row.and_then(|row| row.token_sealed))
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many other connections hold a token of this app for this subject.
pub async fn others_of_subject(
    tx: &mut Tx,
    id: &ConnectionId,
    app_id: &str,
    subject_id: &str,
) -> Result<i64> {
    let row: Option<Count> = sql("SELECT COUNT(*) AS count FROM connections
         WHERE app_id = $2 AND subject_id = $3 AND id <> $1 AND token_sealed IS NOT NULL")
    .bind(id)
    .bind(app_id)
    .bind(subject_id)
    .optional(tx)
    .await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Connections behind which a person stands or stood, with their rows held until the transaction ends. A system user's
/// are none of them.
pub async fn of_person(tx: &mut Tx, app_id: &str, person_id: &str) -> Result<Vec<Stored>> {
    // As in `by_id_for_update`.
    sql("UPDATE connections SET updated_at = updated_at WHERE app_id = $1 AND subject_id = $2")
        .bind(app_id)
        .bind(person_id)
        .execute(tx)
        .await?;
    sql(stored!(
        "WHERE app_id = $1 AND subject_id = $2 AND (token_kind = 'user' OR token_kind IS NULL) ORDER BY id"
    ))
    .bind(app_id)
    .bind(person_id)
    .all(tx)
    .await
}

/// Connections that hold a token of another app than this one.
pub async fn of_other_apps(tx: &mut Tx, connector: &str, app_id: &str) -> Result<Vec<Stored>> {
    sql(stored!("WHERE connector_id = $1 AND app_id <> $2 AND token_sealed IS NOT NULL"))
        .bind(connector)
        .bind(app_id)
        .all(tx)
        .await
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

/// Whether there are connections whose Pages and ad accounts were never taken over.
pub async fn any_unadopted(db: &Db) -> Result<bool> {
    let row: Option<Id> =
        sql("SELECT id FROM connections WHERE adopted_at IS NULL AND token_sealed IS NOT NULL LIMIT 1")
            .optional(db)
            .await?;
    Ok(row.is_some())
}

/// Connections whose Pages and ad accounts were never taken over.
pub async fn unadopted(tx: &mut Tx, limit: i64) -> Result<Vec<Stored>> {
    sql(stored!("WHERE adopted_at IS NULL AND token_sealed IS NOT NULL ORDER BY id LIMIT $1"))
        .bind(limit)
        .all(tx)
        .await
}

/// Takes note that the Pages and ad accounts were taken over.
pub async fn put_adopted(tx: &mut Tx, id: &ConnectionId, at: Timestamp) -> Result<()> {
    sql("UPDATE connections SET adopted_at = $2 WHERE id = $1").bind(id).bind(at).execute(tx).await?;
    Ok(())
}

#[derive(Debug)]
struct StatusCount {
    status: String,
    count: i64,
}
row!(StatusCount { status, count });

/// How many connections of all accounts are in each state.
pub async fn count_by_status(db: &Db) -> Result<std::collections::BTreeMap<String, i64>> {
    let rows = sql("SELECT status, COUNT(*) AS count FROM connections GROUP BY status")
        .all::<StatusCount>(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.status, row.count)).collect())
}
