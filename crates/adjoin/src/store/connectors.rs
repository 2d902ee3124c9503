use super::{Db, Json, Result, Tx, query::Value, row, sql};
use crate::{
    service::setup::Login,
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// The connector library's one connector.
pub const FACEBOOK_MARKETING: &str = "facebook_marketing";

/// A connector as the partner set it up.
#[derive(Debug, Clone)]
pub struct Connector {
    pub id: String,
    /// The App ID at Meta.
    pub client_id: String,
    /// The App Secret, sealed.
    pub client_secret_sealed: Vec<u8>,
    /// The app's name at Meta, as people see it when they consent.
    pub app_name: Option<String>,
    /// `v26.0`; used for the dialog, tokens and calls alike.
    pub graph_version: String,
    pub login: Json<Login>,
    /// Ids of the use cases whose permissions consent asks for.
    pub use_cases: Json<Vec<String>>,
    /// Permissions asked for beyond those of the use cases.
    pub extra_permissions: Json<Vec<String>>,
    /// Whether consent goes over the redirect URI that names the partner.
    pub keyed_redirect_uri: bool,
    /// When Meta last accepted the id and secret.
    pub verified_at: Timestamp,
    pub updated_at: Timestamp,
}
row!(Connector {
    id,
    client_id,
    client_secret_sealed,
    app_name,
    graph_version,
    login,
    use_cases,
    extra_permissions,
    keyed_redirect_uri,
    verified_at,
    updated_at
});

const SCOPE: &Scope = &Scope::Partner;

/// Where a connector's client secret stands.
pub fn client_secret_place(row: &str) -> Place<'_> {
    Place { scope: SCOPE, table: "connectors", column: "client_secret_sealed", row }
}

pub async fn get(db: &Db, id: &str) -> Result<Option<Connector>> {
    sql("SELECT id, client_id, client_secret_sealed, app_name, graph_version, login, use_cases, extra_permissions,
                keyed_redirect_uri, verified_at, updated_at
         FROM connectors WHERE id = $1")
    .bind(id)
    .optional(db)
    .await
}

/// What Meta may have signed a webhook with.
#[derive(Debug)]
pub struct Secrets {
    pub client_secret_sealed: Vec<u8>,
    /// The one before, for as long as Meta may still use it.
    pub previous_secret_sealed: Option<Vec<u8>>,
    pub previous_secret_until: Option<Timestamp>,
}
row!(Secrets { client_secret_sealed, previous_secret_sealed, previous_secret_until });

/// Where the secret before the last change stands.
pub fn previous_secret_place(row: &str) -> Place<'_> {
    Place { scope: SCOPE, table: "connectors", column: "previous_secret_sealed", row }
}

pub async fn secrets(db: &Db, id: &str) -> Result<Option<Secrets>> {
    sql("SELECT client_secret_sealed, previous_secret_sealed, previous_secret_until FROM connectors WHERE id = $1")
        .bind(id)
        .optional(db)
        .await
}

pub async fn put(tx: &mut Tx, connector: &Connector) -> Result<()> {
    sql("INSERT INTO connectors (id, client_id, client_secret_sealed, app_name, graph_version, login, use_cases,
                                 extra_permissions, keyed_redirect_uri, verified_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET client_id = excluded.client_id,
             client_secret_sealed = excluded.client_secret_sealed, app_name = excluded.app_name,
             graph_version = excluded.graph_version, login = excluded.login, use_cases = excluded.use_cases,
             extra_permissions = excluded.extra_permissions,
             keyed_redirect_uri = excluded.keyed_redirect_uri, verified_at = excluded.verified_at,
             updated_at = excluded.updated_at")
    .bind(&connector.id)
    .bind(&connector.client_id)
    .bind(connector.client_secret_sealed.clone())
    .bind(connector.app_name.clone())
    .bind(&connector.graph_version)
    .bind(Value::from(connector.login.clone()))
    .bind(connector.use_cases.clone())
    .bind(connector.extra_permissions.clone())
    .bind(connector.keyed_redirect_uri)
    .bind(connector.verified_at)
    .bind(connector.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, 'partner' AS scope, client_secret_sealed AS sealed FROM connectors
         WHERE id > $1 ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE connectors SET client_secret_sealed = $3 WHERE id = $1 AND client_secret_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}

/// Keeps the secret of before for as long as Meta may sign with it; `None` forgets it.
pub async fn put_previous(tx: &mut Tx, id: &str, previous: Option<(Vec<u8>, Timestamp)>) -> Result<()> {
    let (sealed, until) = previous.unzip();
    sql("UPDATE connectors SET previous_secret_sealed = $2, previous_secret_until = $3 WHERE id = $1")
        .bind(id)
        .bind(sealed)
        .bind(until)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets a secret of before whose time is over.
pub async fn forget_previous(tx: &mut Tx, now: Timestamp) -> Result<()> {
    sql("UPDATE connectors SET previous_secret_sealed = NULL, previous_secret_until = NULL
         WHERE previous_secret_until <= $1")
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn sealed_previous(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT id AS row_id, 'partner' AS scope, previous_secret_sealed AS sealed FROM connectors
         WHERE id > $1 AND previous_secret_sealed IS NOT NULL ORDER BY id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed_previous(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE connectors SET previous_secret_sealed = $3 WHERE id = $1 AND previous_secret_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
