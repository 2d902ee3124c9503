use std::{
    path::Path,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Error, Result, data_keys::DataKey, migrate};

/// Readers of the SQLite file; there is one writer.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A PostgreSQL connection that nobody used for so long is tried before it is used: the server, or a firewall on the
/// way, may have ended it. To try it each time would double the round trips.
const TRIED_AFTER: Duration = Duration::from_secs(5);
/// What is answered as stored is on PostgreSQL's disk, also where the role or the database has given that up. What waits
/// for other servers as well stays.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', FALSE)
                       WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(super) pools: Pools,
    /// How many transactions changed what [`super::Recent`] may hold.
    changes: Arc<AtomicU64>,
}

/// One arm an engine.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A transaction that may write. Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub struct Tx {
    pub(super) on: Begun,
    changes: Option<Arc<AtomicU64>>,
    /// The current data key of the scope that was asked for last: who seals many values reads it once.
    pub(super) data_key: Option<DataKey>,
}

/// One arm an engine.
#[derive(Debug)]
pub(super) enum Begun {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens `sqlite://path` (made when absent) or `postgres://...` and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url, true).await?;
        migrate::run(&db).await?;
        Ok(db)
    }

    /// As [`Db::open`], for one that Adjoin has made before: another, or none, is left alone.
    pub async fn open_existing(url: &str) -> Result<Self> {
        let not_there = || Error::NotThere { url: without_password(url) };
        let file = SqliteConnectOptions::from_str(url).ok().filter(|_| url.starts_with("sqlite:"));
        if file.is_some_and(|file| !file.get_filename().exists()) {
            return Err(not_there());
        }
        let db = Self::connect(url, false).await?;
        if !migrate::has_schema(&db).await? {
            return Err(not_there());
        }
        migrate::run(&db).await?;
        Ok(db)
    }

    async fn connect(url: &str, may_make: bool) -> Result<Self> {
        let address = |reason: &str| Error::Address { url: without_password(url), reason: reason.to_owned() };
        let pools = if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(|e| address(&e.to_string()))?
                .create_if_missing(may_make)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                // What is erased is overwritten, not only unlinked.
                .pragma("secure_delete", "on");
            if may_make {
                make_private(options.get_filename());
            }
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .test_before_acquire(false)
                .connect_with(options.clone())
                .await
                .map_err(Error::Open)?;
            let readers = SqlitePoolOptions::new()
                .max_connections(SQLITE_READERS)
                .test_before_acquire(false)
                .connect_lazy_with(options.read_only(true).create_if_missing(false));
            Pools::Sqlite { writer, readers }
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).map_err(|e| address(&e.to_string()))?;
            let pool = PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
                .acquire_timeout(BUSY_TIMEOUT)
                .test_before_acquire(false)
                .after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(DURABLE).await.map(drop) })
                })
                .before_acquire(|connection, known| {
                    Box::pin(async move {
                        if known.idle_for >= TRIED_AFTER {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .connect_with(options)
                .await
                .map_err(Error::Open)?;
            Pools::Postgres(pool)
        } else {
            return Err(address("it must begin with sqlite:// or postgres://"));
        };
        Ok(Self { pools, changes: Arc::default() })
    }

    /// Begins a transaction that may write; on SQLite it takes the write lock at once.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { changes: Some(Arc::clone(&self.changes)), ..self.begin_apart().await? })
    }

    /// As [`Db::begin`], for rows that are never kept by [`super::Recent`] and written at every call: the call log,
    /// idempotency keys. What was read a moment ago stays fresh.
    pub async fn begin_apart(&self) -> Result<Tx> {
        // Boxed: a pool's future is 4 kB, and whatever may begin a transaction would hold it.
        let on = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Box::pin(writer.begin_with("BEGIN IMMEDIATE")).await.map(Begun::Sqlite)
            }
            Pools::Postgres(pool) => Box::pin(pool.begin()).await.map(Begun::Postgres),
        };
        Ok(Tx { on: on.map_err(Error::Transaction)?, changes: None, data_key: None })
    }

    /// Moves on with every transaction that ends but for those of [`Db::begin_apart`].
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// The engine's name, for people.
    pub const fn engine(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "SQLite",
            Pools::Postgres(_) => "PostgreSQL",
        }
    }

    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Whether rows can be locked one by one, as several writers need. SQLite has one writer.
    pub(super) const fn locks_rows(&self) -> bool {
        matches!(self.on, Begun::Postgres(_))
    }

    pub async fn commit(self) -> Result<()> {
        let ended = match self.on {
            Begun::Sqlite(tx) => tx.commit().await,
            Begun::Postgres(tx) => tx.commit().await,
        };
        // Even when it failed: a server that could not tell us may have committed.
        if let Some(changes) = self.changes {
            changes.fetch_add(1, Ordering::SeqCst);
        }
        ended.map_err(Error::Transaction)
    }
}

/// Makes a file that is not there yet for its owner's eyes alone; SQLite gives the files beside it the same mode. What
/// goes wrong here goes wrong again when SQLite opens it, and is told then.
#[cfg(unix)]
fn make_private(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;

    let in_memory = file.to_str().is_none_or(|name| name.starts_with("file:") || name.contains(":memory:"));
    if !in_memory {
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    }
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{
        store::{row, sql},
        support::on_each_database,
    };

    macro_rules! alter_database {
        ($to:literal) => {
            concat!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = ",
                $to,
                "', current_database()); END $$"
            )
        };
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_not_taken_for_a_database_that_is_not_there() {
        // A socket in a folder that is not there.
        let opened = Db::open_existing("postgres://%2Fnowhere/adjoin").await;
        assert!(matches!(opened, Err(Error::Open(_))), "{opened:?}");
    }

    #[derive(Debug)]
    struct Setting {
        setting: String,
    }
    row!(Setting { setting });

    #[test]
    fn a_commit_is_durable_whatever_the_database_says() {
        on_each_database(async |database| {
            let setting = async |ask: &'static str| {
                let db = Db::open(database.url()).await.unwrap();
                let mut tx = db.begin().await.unwrap();
                let row: Option<Setting> = sql(ask).optional(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
                db.close().await;
                row.unwrap().setting
            };
            if database.db.engine() == "SQLite" {
                // FULL.
                let ask = "SELECT CAST(synchronous AS TEXT) AS setting FROM pragma_synchronous";
                assert_eq!(setting(ask).await, "2");
                return;
            }
            for (default, ours) in [
                (alter_database!("off"), "on"),
                (alter_database!("local"), "on"),
                (alter_database!("remote_apply"), "remote_apply"),
            ] {
                let mut tx = database.db.begin().await.unwrap();
                sql(default).execute(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
                let ask = "SELECT current_setting('synchronous_commit') AS setting";
                assert_eq!(setting(ask).await, ours, "{default}");
            }
        });
    }

    #[tokio::test]
    async fn a_new_file_is_its_owners_alone_and_a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("adjoin.db");
        let url = format!("sqlite://{}", file.display());
        let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        let db = Db::open(&url).await.unwrap();
        assert_eq!((mode(&file), mode(&folder.path().join("adjoin.db-wal"))), (0o600, 0o600));
        db.close().await;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        Db::open(&url).await.unwrap().close().await;
        assert_eq!(mode(&file), 0o640);
    }
}
