//! How many webhooks a second are on disk, beside what the machine's bare group commit does with the same bytes.
//!
//! Three servers take the same requests over the same HTTP loop and answer 200 once the body is durable: *bare* appends the
//! bodies that wait to one file and calls fdatasync; *bare table* inserts them, some in a statement as the service does, into
//! a table of one column on the same engine with the service's settings; *adjoin* is the service, signature and all.
//! `cargo bench -p adjoin --bench ingest`; SQLite, and PostgreSQL when ADJOIN_TEST_POSTGRES_URL names an empty database.
//! Loopback only, about a minute each.

mod support {
    pub mod machine;
    pub mod rounds;
    pub mod world;
}

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use adjoin::{
    store::{Db, sql},
    web,
};
use adjoin_sandbox::Facts;
use aws_lc_rs::hmac;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use support::{machine::load, rounds::best_and_worst, world};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

const CONNECTIONS: [usize; 2] = [32, 256];
const BATCHES: [usize; 2] = [1, 100];
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const GOAL: f64 = 0.6;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let facts = world::sandbox(adjoin_sandbox::Options::default());
    let service = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let databases = databases(folder.path());
    let load_side = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!(
        "webhooks a second that are on disk, load average {}; best of {ROUNDS} rounds (worst behind it)",
        load()
    );
    for (engine, url) in databases {
        let own = folder.path().join(engine);
        std::fs::create_dir(&own).expect("a folder");
        let targets = service.block_on(targets(&facts, &url, &own));
        println!("\n{engine}");
        println!(
            "{:>12} {:>12} {:>8} {:>16} {:>16} {:>16} {:>10} {:>10}",
            "connections",
            "changes each",
            "bytes",
            "bare file",
            "bare table",
            "adjoin",
            "to file",
            "to table"
        );
        for connections in CONNECTIONS {
            for batch in BATCHES {
                let body = body(batch);
                let mut rates = [const { Vec::new() }; 3];
                for _ in 0..ROUNDS {
                    for (rates, target) in rates.iter_mut().zip(&targets) {
                        rates.push(load_side.block_on(rate(target, connections, &body, &facts.app_secret)));
                    }
                }
                let shown = rates.each_ref().map(|all| best_and_worst(all));
                let text = shown.map(|(worst, best)| format!("{best:.0} ({worst:.0})"));
                println!(
                    "{connections:>12} {batch:>12} {:>8} {:>16} {:>16} {:>16} {:>10.2} {:>10.2}",
                    body.len(),
                    text[0],
                    text[1],
                    text[2],
                    shown[2].1 / shown[0].1,
                    shown[2].1 / shown[1].1
                );
            }
        }
    }
    println!("\ngoal: at least {GOAL} of the bare group commit");
}

fn databases(folder: &Path) -> Vec<(&'static str, String)> {
    let mut databases = vec![("SQLite", format!("sqlite://{}", folder.join("adjoin.db").display()))];
    if let Ok(server) = std::env::var("ADJOIN_TEST_POSTGRES_URL") {
        databases.push(("PostgreSQL", server));
    }
    databases
}

/// Where each of the three takes webhooks.
async fn targets(facts: &Facts, url: &str, folder: &Path) -> [String; 3] {
    let (app, origin) = world::serve(facts, url, folder).await;
    world::connect(&app, facts, &origin).await;
    let file = serve(bare_file(File::create(folder.join("bare.log")).expect("a file"))).await;
    // A file has one writer.
    let own_file = || format!("sqlite://{}", folder.join("bare.db").display());
    let beside = if url.starts_with("sqlite:") { own_file() } else { url.to_owned() };
    let table = serve(bare_table(Db::open(&beside).await.expect("a database"))).await;
    [file, table, origin].map(|origin| origin.strip_prefix("http://").expect("plain HTTP").to_owned())
}

type Waiting = (Vec<u8>, oneshot::Sender<()>);
type Intake = mpsc::Sender<Waiting>;

/// Takes a body and answers when it is durable.
async fn serve(intake: Intake) -> String {
    async fn take(State(intake): State<Arc<Intake>>, body: Bytes) -> StatusCode {
        let (tell, told) = oneshot::channel();
        intake.send((body.into(), tell)).await.expect("the writer lives");
        told.await.expect("the writer answers");
        StatusCode::OK
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/webhooks/facebook", post(take)).with_state(Arc::new(intake));
    tokio::spawn(web::serve(listener, router, std::future::pending()));
    format!("http://{address}")
}

/// All that wait, into one write and one fdatasync.
fn bare_file(mut file: File) -> Intake {
    let (intake, mut waiting) = mpsc::channel::<Waiting>(4096);
    std::thread::spawn(move || {
        while let Some(first) = waiting.blocking_recv() {
            let mut group = vec![first];
            while let Ok(next) = waiting.try_recv() {
                group.push(next);
            }
            let bytes: Vec<u8> = group.iter().flat_map(|(body, _)| body.iter().copied()).collect();
            file.write_all(&bytes).expect("it is written");
            file.sync_data().expect("it is synced");
            for (_, tell) in group {
                let _ = tell.send(());
            }
        }
    });
    intake
}

/// Most bodies in one statement.
const LINES: usize = 16;

/// `INSERTS[n]` adds `n + 1` bodies.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let insert = |lines| {
        let lines: Vec<String> = (1..=lines).map(|nth| format!("(${nth})")).collect();
        format!("INSERT INTO bare_bodies (body) VALUES {}", lines.join(", "))
    };
    (1..=LINES).map(insert).collect()
});

/// All that wait, into one transaction.
fn bare_table(db: Db) -> Intake {
    let (intake, mut waiting) = mpsc::channel::<Waiting>(4096);
    tokio::spawn(async move {
        let mut tx = db.begin().await.expect("a transaction");
        for statement in
            ["DROP TABLE IF EXISTS bare_bodies", "CREATE TABLE bare_bodies (body BYTEA NOT NULL)"]
        {
            sql(statement).execute(&mut tx).await.expect("a table");
        }
        tx.commit().await.expect("committed");
        while let Some(first) = waiting.recv().await {
            let mut group = vec![first];
            while let Ok(next) = waiting.try_recv() {
                group.push(next);
            }
            let mut tx = db.begin().await.expect("a transaction");
            for lines in group.chunks(LINES) {
                let insert = lines
                    .iter()
                    .fold(sql(&INSERTS[lines.len() - 1]), |insert, (body, _)| insert.bind(body.clone()));
                insert.execute(&mut tx).await.expect("inserted");
            }
            tx.commit().await.expect("committed");
            for (_, tell) in group {
                let _ = tell.send(());
            }
        }
    });
    intake
}

/// A body as Meta posts it. Its Page is nobody's, and nothing sorts here: what is measured is the way to the disk.
fn body(changes: usize) -> String {
    let change = |nth: usize| {
        json!({ "field": "leadgen", "value": { "leadgen_id": 55_459_717_045_641_545_u64 + nth as u64,
                "page_id": 216_089_425_403_129_u64, "form_id": 317_000_000_000_001_u64, "adgroup_id": 120_u64,
                "ad_id": 120_230_000_000_000_003_u64, "created_time": 1_795_514_400 } })
    };
    let changes: Vec<Value> = (0..changes).map(change).collect();
    json!({ "object": "page", "entry": [{ "id": "216089425403129", "time": 1_795_514_400, "changes": changes }] }).to_string()
}

/// Webhooks a second over so many connections, each with one under way.
async fn rate(address: &str, connections: usize, body: &str, secret: &str) -> f64 {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = adjoin_graph::hex(hmac::sign(&key, body.as_bytes()).as_ref());
    let request = format!(
        "POST /webhooks/facebook HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let request: Arc<[u8]> = request.into_bytes().into();
    let began = Instant::now();
    let runs: Vec<_> = (0..connections)
        .map(|_| {
            let (address, request) = (address.to_owned(), Arc::clone(&request));
            tokio::task::spawn(async move {
                let mut stream = TcpStream::connect(&address).await.expect("it listens");
                stream.set_nodelay(true).expect("a connection");
                let (mut taken, mut answer) = (0_u32, [0; 2048]);
                while began.elapsed() < ROUND {
                    stream.write_all(&request).await.expect("it reads");
                    let mut length = 0;
                    while !answer[..length].windows(4).any(|it| it == b"\r\n\r\n") {
                        let read = stream.read(&mut answer[length..]).await.expect("it answers");
                        assert!(read > 0, "it hung up");
                        length += read;
                    }
                    assert!(
                        answer.starts_with(b"HTTP/1.1 200"),
                        "{}",
                        String::from_utf8_lossy(&answer[..length])
                    );
                    taken += 1;
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for run in runs {
        taken += run.await.expect("it runs to its end");
    }
    f64::from(taken) / began.elapsed().as_secs_f64()
}
