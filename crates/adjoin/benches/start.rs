//! How long `adjoin serve` takes from its start until it is ready, and how much memory it holds while nobody asks.
//!
//! Baselines of the same run: an HTTP server of the same stack with nothing in it, and `adjoin --version`. The database
//! stands already, with its schema. `cargo bench -p adjoin --bench start`; about half a minute.

mod support {
    pub mod machine;
    pub mod samples;
}

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use support::{machine::load, samples::Samples};

const STARTS: usize = 20;
/// How long nobody asks before the memory is looked at.
const IDLE: Duration = Duration::from_secs(5);
const START_GOAL_MS: f64 = 100.0;
const MEMORY_GOAL_MB: f64 = 40.0;
/// Makes this executable the empty server.
const EMPTY: &str = "--empty-server";

fn main() {
    if std::env::args().any(|argument| argument == EMPTY) {
        return serve_nothing();
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (database, key) = (folder.path().join("adjoin.db"), folder.path().join("master.key"));
    let made = adjoin(&["key", "generate"]).arg(&key).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let service = || serve(&database, &key);
    let nothing = || {
        let mut command = Command::new(std::env::current_exe().expect("this executable"));
        command.arg(EMPTY);
        command
    };
    // The first start makes the database.
    Server::start(service()).stop();

    let (mut ready, mut answers) = (Samples::default(), Samples::default());
    let (mut empty_ready, mut empty_answers) = (Samples::default(), Samples::default());
    let mut version = Samples::default();
    for _ in 0..STARTS {
        let server = Server::start(service());
        ready.0.push(server.ready);
        answers.0.push(server.answers);
        server.stop();
        let server = Server::start(nothing());
        empty_ready.0.push(server.ready);
        empty_answers.0.push(server.answers);
        server.stop();
        let began = Instant::now();
        assert!(adjoin(&["--version"]).output().expect("it runs").status.success());
        version.0.push(began.elapsed());
    }
    println!("start to ready, {STARTS} starts, SQLite, load average {}; milliseconds", load());
    println!("{:<28} {:>8} {:>8} {:>8}", "", "best", "median", "p95");
    for (name, samples) in [
        ("adjoin: says ready", &mut ready),
        ("adjoin: /readyz answered", &mut answers),
        ("empty server: says ready", &mut empty_ready),
        ("empty server: answered", &mut empty_answers),
        ("adjoin --version", &mut version),
    ] {
        let [best, median, p95] = [0.0, 0.5, 0.95].map(|share| samples.at(share) / 1000.0);
        println!("{name:<28} {best:>8.1} {median:>8.1} {p95:>8.1}");
    }
    println!("goal: under {START_GOAL_MS:.0} at the median");

    println!("\nresident memory after {} idle seconds; MB", IDLE.as_secs());
    println!("{:<28} {:>8} {:>12} {:>12}", "", "all", "own", "of files");
    for (name, command) in [("adjoin", service()), ("empty server", nothing())] {
        let server = Server::start(command);
        std::thread::sleep(IDLE);
        match server.memory() {
            Some([all, own, files]) => println!("{name:<28} {all:>8.1} {own:>12.1} {files:>12.1}"),
            None => println!("{name:<28} this system does not tell"),
        }
        server.stop();
    }
    println!("goal: under {MEMORY_GOAL_MB:.0}");
}

/// `adjoin` with nothing of our environment that it would read.
fn adjoin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adjoin"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ADJOIN_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn serve(database: &Path, key: &Path) -> Command {
    let mut command = adjoin(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--database-url").arg(format!("sqlite://{}", database.display()));
    command.arg("--master-key-file").arg(key);
    command
}

/// A process that says on its first line where it listens.
struct Server {
    child: Child,
    /// From its start to that line.
    ready: Duration,
    /// From its start to the first answer.
    answers: Duration,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let ready = began.elapsed();
        let facts: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        let answer = get(facts["listen"].as_str().expect("an address"), "/readyz");
        let answers = began.elapsed();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Self { child, ready, answers }
    }

    /// What is resident, in megabytes: all, the process's own, and pages of files.
    fn memory(&self) -> Option<[f64; 3]> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let megabytes = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kilobytes * 1024.0 / 1e6)
        };
        Some([megabytes("VmRSS")?, megabytes("RssAnon")?, megabytes("RssFile")?])
    }

    fn stop(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The same stack with nothing in it.
fn serve_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", serde_json::json!({ "listen": listener.local_addr().expect("bound") }));
        let router = axum::Router::new().route("/readyz", axum::routing::get(|| async { "ready" }));
        axum::serve(listener, router).await.expect("it serves");
    });
}
