use std::{str::FromStr, time::Duration};

use sqlx::{
    PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Error, Result, migrate};

/// Readers of the SQLite file; there is one writer.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The database, one arm an engine. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A transaction that may write. Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens `sqlite://path` (made when absent) or `postgres://...` and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let address = |reason: &str| Error::Address { url: without_password(url), reason: reason.to_owned() };
        let db = if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(|e| address(&e.to_string()))?
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                // What is erased is overwritten, not only unlinked.
                .pragma("secure_delete", "on");
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .connect_with(options.clone())
                .await
                .map_err(Error::Open)?;
            let readers = SqlitePoolOptions::new()
                .max_connections(SQLITE_READERS)
                .connect_lazy_with(options.read_only(true).create_if_missing(false));
            Self::Sqlite { writer, readers }
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).map_err(|e| address(&e.to_string()))?;
            let pool = PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(BUSY_TIMEOUT)
                .connect_with(options)
                .await
                .map_err(Error::Open)?;
            Self::Postgres(pool)
        } else {
            return Err(address("it must begin with sqlite:// or postgres://"));
        };
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Begins a transaction that may write; on SQLite it takes the write lock at once.
    pub async fn begin(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite).map_err(Error::Transaction)
            }
            Self::Postgres(pool) => pool.begin().await.map(Tx::Postgres).map_err(Error::Transaction),
        }
    }

    /// The engine's name, for people.
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(Error::Transaction)
    }
}

fn without_password(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| "(unreadable)".to_owned(),
        |mut parsed| {
            if parsed.password().is_some() {
                let _ = parsed.set_password(Some("***"));
            }
            parsed.to_string()
        },
    )
}
