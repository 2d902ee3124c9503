//! What a method call pays before it can speak to Meta: the connection is looked up, its token and its app's secret are
//! unsealed, and the proof is made. On SQLite and PostgreSQL, warm, one call after another.
//!
//! Baselines of the same run: a bare point select of the same columns with sqlx on a connection of its own, the bare
//! unsealing, the bare proof. `cargo bench -p adjoin --bench connection_lookup`; it takes the PostgreSQL server that
//! `ADJOIN_TEST_POSTGRES_URL` names, or starts one.

mod support {
    pub mod machine;
    pub mod rounds;
    pub mod samples;
    pub mod world;
}

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use adjoin::{
    id::{AccountId, ConnectionId},
    service::{App, connections},
    store::connections::token_place,
    time::Timestamp,
    vault::Scope,
};
use adjoin_graph::proof;
use adjoin_sandbox::Facts;
use secrecy::SecretString;
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use support::{machine::load, rounds::best_and_worst, samples::Samples, world};

const ROUNDS: usize = 15;
const CALLS: usize = 1000;
const GOAL: f64 = 50.0;

/// The columns that a call needs, by the keys that it has.
const POINT_SELECT: &str = "SELECT n.state, n.granted, n.token_sealed, n.token_expires_at, n.connected_at, \
                            c.client_secret_sealed, c.graph_version \
                            FROM connections n JOIN connectors c ON c.id = n.connector_id \
                            WHERE n.id = $1 AND n.account_id = $2";

fn main() {
    let facts = world::sandbox(adjoin_sandbox::Options::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("{ROUNDS} rounds of {CALLS}; medians in microseconds, the best round and the worst");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("adjoin.db").display());
        measure("SQLite", &facts, &url, folder.path()).await;

        let folder = tempfile::tempdir().expect("a temporary folder");
        match postgres(folder.path()) {
            Ok(server) => {
                let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
                run(&server, format!("CREATE DATABASE {name}")).await;
                let mut url = server.clone();
                url.set_path(&name);
                measure("PostgreSQL", &facts, url.as_str(), folder.path()).await;
                run(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
            Err(reason) => println!("\nPostgreSQL: not measured. {reason}"),
        }
    });
}

/// One database with everything on it, as a held connection.
enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What a call needs, as bytes.
struct Sealed {
    token: Vec<u8>,
    bytes: usize,
}

impl Bare {
    async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await.expect("it opens"))
        } else {
            Self::Postgres(PgConnection::connect(url).await.expect("it answers"))
        }
    }

    async fn select(&mut self, account: &AccountId, connection: &ConnectionId) -> Sealed {
        macro_rules! on {
            ($held:ident) => {{
                let row = sqlx::query(POINT_SELECT)
                    .bind(connection.as_str())
                    .bind(account.as_str())
                    .fetch_one($held)
                    .await
                    .expect("the row is there");
                let text = |at: usize| row.get::<&str, _>(at).len();
                let (token, secret) = (row.get::<Vec<u8>, _>(2), row.get::<Vec<u8>, _>(5));
                let times = (row.get::<Option<i64>, _>(3), row.get::<Option<i64>, _>(4));
                black_box(times);
                Sealed { bytes: text(0) + text(1) + token.len() + secret.len() + text(6), token }
            }};
        }
        match self {
            Self::Sqlite(held) => on!(held),
            Self::Postgres(held) => on!(held),
        }
    }
}

/// The medians of one thing that is measured, one a round.
struct Line {
    name: &'static str,
    medians: Vec<f64>,
}

impl Line {
    const fn new(name: &'static str) -> Self {
        Self { name, medians: Vec::new() }
    }

    fn best(&self) -> f64 {
        best_and_worst(&self.medians).0
    }
}

/// One round of `$work`, each time taken by itself.
macro_rules! round {
    ($line:ident, $work:expr) => {{
        let mut samples = Samples::default();
        for _ in 0..CALLS {
            let began = Instant::now();
            black_box($work);
            samples.0.push(began.elapsed());
        }
        $line.medians.push(samples.at(0.5));
    }};
}

async fn measure(engine: &str, facts: &Facts, url: &str, folder: &Path) {
    let (app, origin) = world::serve(facts, url, folder).await;
    let (account, connection) = world::connect(&app, facts, &origin).await;
    let secret = SecretString::from(facts.app_secret.clone());
    let mut bare = Bare::open(url).await;
    let sealed = bare.select(&account, &connection).await;
    let scope = Scope::Account(account.clone());
    let place = token_place(&scope, connection.as_str());
    let token = app.vault.open(&place, &sealed.token).await.expect("it opens");
    let now = app.clock.now();

    let mut whole = Line::new("look-up, unseal, proof");
    let mut select = Line::new("baseline: bare select");
    let mut unseal = Line::new("baseline: bare unseal");
    let mut proven = Line::new("baseline: bare proof");
    for _ in 0..ROUNDS {
        round!(whole, ready(&app, &account, &connection, &secret, now).await);
        round!(select, bare.select(&account, &connection).await.bytes);
        round!(unseal, app.vault.open(&place, &sealed.token).await.expect("it opens"));
        round!(proven, proof::timed(&token, &secret, now.unix()));
    }

    println!("\n{engine}, row of {} bytes, load average {}", sealed.bytes, load());
    for line in [&whole, &select, &unseal, &proven] {
        let (best, worst) = best_and_worst(&line.medians);
        println!("  {:<24} {best:>8.1} {worst:>8.1}", line.name);
    }
    // A call unseals twice: the token, and the secret that signs.
    let least = 2.0f64.mul_add(unseal.best(), select.best()) + proven.best();
    println!("  goal: under {GOAL:.0}. One bare select, two unseals and a proof make {least:.1}");
}

/// As a method call does it.
async fn ready(
    app: &App,
    account: &AccountId,
    connection: &ConnectionId,
    secret: &SecretString,
    now: Timestamp,
) -> String {
    let access = connections::access(app, account, connection).await.expect("it is connected");
    proof::timed(access.token.token(), secret, now.unix())
}

const SERVER: &str = "ADJOIN_TEST_POSTGRES_URL";

/// A server to measure on: the one that is named, or one that ends with this process.
fn postgres(folder: &Path) -> Result<url::Url, String> {
    let named = std::env::var(SERVER).or_else(|_| start_postgres(&folder.join("postgres.env")))?;
    named.parse().map_err(|error| format!("{SERVER} is not a URL: {error}"))
}

fn start_postgres(told: &Path) -> Result<String, String> {
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../scripts/test-postgres"].iter().collect();
    let status = Command::new(script).env("NEXTEST_ENV", told).status().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(told).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(SERVER)?.strip_prefix('='))
        .map(str::to_owned)
        .ok_or_else(|| format!("scripts/test-postgres ended with {status}"))
}

async fn run(server: &url::Url, statement: String) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the server answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("it is done");
}
