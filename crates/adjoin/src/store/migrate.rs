//! Schema changes, in order, each in a transaction of its own.

use sqlx::Executor;

use super::{
    Db, Error, Result, Tx, accounts,
    db::{Begun, Pools},
    query::row,
    sql,
};

/// Version and text. Released migrations are never edited: a change is a new file.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../migrations/0001_connector.sql")),
    (2, include_str!("../../migrations/0002_leads.sql")),
    (NAMES_FOLDED, include_str!("../../migrations/0003_indexes.sql")),
    (4, include_str!("../../migrations/0004_deliveries.sql")),
    (5, include_str!("../../migrations/0005_lead_way.sql")),
    (6, include_str!("../../migrations/0006_canaries.sql")),
];
/// The version that adds a column which the code alone can fill.
const NAMES_FOLDED: i64 = 3;

/// The advisory lock that lets one node at a time migrate a PostgreSQL database.
const LOCK: i64 = 0x0ad_401;

#[derive(Debug)]
struct Applied {
    version: i64,
}
row!(Applied { version });

pub async fn run(db: &Db) -> Result<()> {
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    let mut tx = db.begin().await?;
    if matches!(tx.on, Begun::Postgres(_)) {
        sql("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut tx).await?;
    }
    batch(&mut tx, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)")
        .await
        .map_err(|source| Error::Migrate { version: 0, source })?;
    let applied = sql("SELECT version FROM schema_version ORDER BY version").all::<Applied>(&mut tx).await?;
    let current = applied.last().map_or(0, |row| row.version);
    if current > known {
        return Err(Error::TooNew { found: current, known });
    }
    for (version, text) in MIGRATIONS.iter().filter(|(version, _)| *version > current) {
        batch(&mut tx, text).await.map_err(|source| Error::Migrate { version: *version, source })?;
        if *version == NAMES_FOLDED {
            accounts::fold_names(&mut tx).await?;
        }
        sql("INSERT INTO schema_version (version) VALUES ($1)").bind(*version).execute(&mut tx).await?;
    }
    tx.commit().await
}

/// Whether [`run`] has ever run here.
pub async fn has_schema(db: &Db) -> Result<bool> {
    let ask = match &db.pools {
        Pools::Sqlite { .. } => "SELECT 1 AS version FROM sqlite_master WHERE name = 'schema_version'",
        Pools::Postgres(_) => {
            "SELECT CAST(1 AS BIGINT) AS version FROM pg_tables
             WHERE schemaname = ANY (current_schemas(FALSE)) AND tablename = 'schema_version'"
        }
    };
    Ok(sql(ask).optional::<Applied>(db).await?.is_some())
}

/// Runs several statements as one text.
async fn batch(tx: &mut Tx, text: &'static str) -> std::result::Result<(), sqlx::Error> {
    match &mut tx.on {
        Begun::Sqlite(tx) => tx.execute(sqlx::raw_sql(text)).await.map(drop),
        Begun::Postgres(tx) => tx.execute(sqlx::raw_sql(text)).await.map(drop),
    }
}
