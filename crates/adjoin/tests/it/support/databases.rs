use std::{path::Path, sync::Arc};

use adjoin::store::Db;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use url::Url;

/// Where the nextest setup script says the server is.
const SERVER: &str = "ADJOIN_TEST_POSTGRES_URL";
const TEMPLATE: &str = "adjoin_template";
/// The advisory lock under which the first test of a run makes the template.
const LOCK: i64 = 0xad01;

/// An empty database of one test's own, its schema up to date, and a folder for the test's files.
#[derive(Debug, Clone)]
pub struct Database {
    pub db: Db,
    url: String,
    folder: Arc<TempDir>,
}

impl Database {
    /// The address, for a process that opens the database itself.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs a test once on SQLite and once on PostgreSQL, each with a fresh database.
pub fn on_each_database(test: impl AsyncFn(Database)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        eprintln!("-- on SQLite");
        let folder = Arc::new(TempDir::new().unwrap());
        let url = format!("sqlite://{}", folder.path().join("adjoin.db").display());
        let db = Db::open(&url).await.unwrap();
        test(Database { db: db.clone(), url, folder }).await;
        db.close().await;

        eprintln!("-- on PostgreSQL");
        let server = server();
        let name = clone_template(&server).await;
        let url = at(&server, &name);
        let db = Db::open(url.as_str()).await.unwrap();
        test(Database { db: db.clone(), url: url.into(), folder: Arc::new(TempDir::new().unwrap()) }).await;
        db.close().await;
        // A failed test leaves its database to be looked at while the run lasts.
        execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    });
}

fn server() -> Url {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!(
            "{SERVER} is not set, so there is no PostgreSQL to test on. Run the tests with scripts/test or \
             `cargo nextest run`: its setup script (scripts/test-postgres) starts a server for the run"
        )
    });
    url.parse().unwrap_or_else(|error| panic!("{SERVER} is not a URL: {error}"))
}

fn at(server: &Url, database: &str) -> Url {
    let mut url = server.clone();
    url.set_path(database);
    url
}

/// Makes a database for one test by copying the template, which the first caller of a run makes.
async fn clone_template(server: &Url) -> String {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the test server answers");
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await.unwrap();
    let exists = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(TEMPLATE)
        .fetch_optional(&mut connection)
        .await
        .unwrap()
        .is_some();
    if !exists {
        // Under another name until it is complete, so that nobody copies half a schema.
        connection.execute("DROP DATABASE IF EXISTS adjoin_template_new").await.unwrap();
        // Sorted as users' databases are, not by bytes.
        connection
            .execute(
                "CREATE DATABASE adjoin_template_new TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
            )
            .await
            .unwrap();
        Db::open(at(server, "adjoin_template_new").as_str()).await.unwrap().close().await;
        connection.execute("ALTER DATABASE adjoin_template_new RENAME TO adjoin_template").await.unwrap();
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut connection).await.unwrap();
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    connection
        .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")))
        .await
        .unwrap();
    connection.close().await.unwrap();
    name
}

async fn execute(server: &Url, statement: String) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the test server answers");
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}
