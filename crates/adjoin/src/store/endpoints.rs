use super::{Db, Json, Page, Result, Tx, query::On, row, sql};
use crate::{
    id::{AccountId, EndpointId},
    service::{deliveries::State, events::Pattern},
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// Where events are delivered.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: EndpointId,
    /// None: events of all accounts.
    pub account_id: Option<AccountId>,
    pub url: String,
    pub description: String,
    /// Empty: all types.
    pub types: Json<Vec<Pattern>>,
    /// Whether it gets events of test leads too.
    pub test_leads: bool,
    pub state: Json<State>,
    pub secrets_sealed: Vec<u8>,
    /// Since when nothing was delivered, while something should have been.
    pub failing_since: Option<Timestamp>,
    /// Until when it asked us to wait.
    pub paused_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
row!(Stored {
    id,
    account_id,
    url,
    description,
    types,
    test_leads,
    state,
    secrets_sealed,
    failing_since,
    paused_until,
    created_at,
    updated_at,
});

/// Selects [`Stored`] rows.
macro_rules! stored {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, url, description, types, test_leads, state, secrets_sealed, failing_since,
                    paused_until, created_at, updated_at
             FROM endpoints ",
            $rest
        )
    };
}

/// Where an endpoint's signing secrets stand.
pub fn secrets_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "endpoints", column: "secrets_sealed", row }
}

pub async fn insert(tx: &mut Tx, endpoint: &Stored) -> Result<()> {
    sql("INSERT INTO endpoints (id, account_id, url, description, types, status, state, secrets_sealed, failing_since,
                                paused_until, created_at, updated_at, test_leads)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind(&endpoint.id)
    .bind(endpoint.account_id.as_ref())
    .bind(&endpoint.url)
    .bind(&endpoint.description)
    .bind(endpoint.types.clone())
    .bind(endpoint.state.0.name())
    .bind(endpoint.state.clone())
    .bind(endpoint.secrets_sealed.clone())
    .bind(endpoint.failing_since)
    .bind(endpoint.paused_until)
    .bind(endpoint.created_at)
    .bind(endpoint.updated_at)
    .bind(endpoint.test_leads)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn by_id(on: impl Into<On<'_>>, id: &EndpointId) -> Result<Option<Stored>> {
    sql(stored!("WHERE id = $1")).bind(id).optional(on).await
}

/// The same, with the row held until the transaction ends.
pub async fn by_id_for_update(tx: &mut Tx, id: &EndpointId) -> Result<Option<Stored>> {
    // An update that changes nothing holds the row on PostgreSQL; SQLite has one writer anyway.
    sql("UPDATE endpoints SET updated_at = updated_at WHERE id = $1").bind(id).execute(tx).await?;
    by_id(tx, id).await
}

/// Writes everything that can change but the secrets.
pub async fn put(tx: &mut Tx, endpoint: &Stored) -> Result<()> {
    sql("UPDATE endpoints SET url = $2, description = $3, types = $4, status = $5, state = $6, failing_since = $7,
             paused_until = $8, updated_at = $9, test_leads = $10
         WHERE id = $1")
    .bind(&endpoint.id)
    .bind(&endpoint.url)
    .bind(&endpoint.description)
    .bind(endpoint.types.clone())
    .bind(endpoint.state.0.name())
    .bind(endpoint.state.clone())
    .bind(endpoint.failing_since)
    .bind(endpoint.paused_until)
    .bind(endpoint.updated_at)
    .bind(endpoint.test_leads)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn put_secrets(tx: &mut Tx, id: &EndpointId, secrets_sealed: Vec<u8>) -> Result<()> {
    sql("UPDATE endpoints SET secrets_sealed = $2 WHERE id = $1")
        .bind(id)
        .bind(secrets_sealed)
        .execute(tx)
        .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: &EndpointId) -> Result<()> {
    sql("DELETE FROM endpoints WHERE id = $1").bind(id).execute(tx).await?;
    Ok(())
}

/// The newest first, before the cursor; `account` empty for all, those for all accounts too.
pub async fn list(
    db: &Db,
    account: Option<&AccountId>,
    before: Option<&str>,
    limit: usize,
) -> Result<Page<Stored>> {
    let rows = sql(stored!("WHERE ($1 = '' OR account_id = $1) AND id < $2 ORDER BY id DESC LIMIT $3"))
        .bind(account.map(AccountId::as_str).unwrap_or_default())
        .bind(before.unwrap_or(EndpointId::BEYOND))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .all(db)
        .await?;
    Ok(Page::from_rows(rows, limit, |row: &Stored| row.id.to_string()))
}

#[derive(Debug)]
struct Count {
    count: i64,
}
row!(Count { count });

/// How many endpoints an account has; or how many there are for all accounts.
pub async fn count(tx: &mut Tx, account: Option<&AccountId>) -> Result<i64> {
    let row: Option<Count> =
        sql("SELECT COUNT(*) AS count FROM endpoints WHERE COALESCE(account_id, '') = $1")
            .bind(account.map(AccountId::as_str).unwrap_or_default())
            .optional(tx)
            .await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Somebody who may want an event.
#[derive(Debug)]
pub struct Listener {
    pub id: EndpointId,
    pub types: Json<Vec<Pattern>>,
    pub test_leads: bool,
}
row!(Listener { id, types, test_leads });

/// Enabled endpoints for the events of an account; or of none: those for all accounts.
pub async fn listeners(tx: &mut Tx, account: Option<&AccountId>) -> Result<Vec<Listener>> {
    sql("SELECT id, types, test_leads FROM endpoints
         WHERE status = 'enabled' AND (account_id IS NULL OR account_id = $1) ORDER BY id")
    .bind(account.map(AccountId::as_str).unwrap_or_default())
    .all(tx)
    .await
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, COALESCE(account_id, 'partner') AS scope, secrets_sealed AS sealed FROM endpoints
         WHERE id > $1 ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE endpoints SET secrets_sealed = $3 WHERE id = $1 AND secrets_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
