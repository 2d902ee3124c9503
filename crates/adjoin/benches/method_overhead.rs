//! What a method call through the service costs beyond a bare reverse proxy to the same sandbox.
//!
//! Proxy and service are built with the same HTTP stack (`web::serve`, axum, reqwest, the same settings), on SQLite.
//! They run on one runtime, and only one is asked at a time; the sandbox and the load have threads of their own. 32
//! connections, once at a fixed rate and once as fast as they go. The rounds alternate, so what is added is told by pairs of
//! rounds: their neighbours on the machine were the same. `cargo bench -p adjoin --bench method_overhead`. Loopback only; about
//! a minute.

mod support {
    pub mod machine;
    pub mod samples;
    pub mod world;
}

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use adjoin::{audit::Actor, service::api_keys, web};
use adjoin_sandbox::Facts;
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use secrecy::ExposeSecret;
use serde_json::json;
use support::{machine::load, samples::Samples, world};
use tokio::net::TcpListener;

const CONNECTIONS: usize = 32;
/// Requests a second in the rounds at a fixed rate: well below what either can do on two cores.
const RATE: u32 = 400;
/// How long such a round takes.
const PACED: Duration = Duration::from_secs(1);
/// Requests in a round that goes as fast as it can.
const CLOSED: usize = 4000;
const ROUNDS: usize = 20;
const GOAL: f64 = 100.0;
/// The name of the threads that proxy and service run on.
const SERVICE: &str = "service";

/// One request that is sent over and over.
#[derive(Clone)]
struct Target {
    method: reqwest::Method,
    url: String,
    token: String,
    body: Option<String>,
}

/// How the load comes.
#[derive(Clone, Copy)]
enum Pace {
    Fixed,
    Unbound,
}

/// The rounds of one target at one pace.
#[derive(Default)]
struct Rounds {
    medians: Vec<f64>,
    tails: Vec<f64>,
    per_second: Vec<f64>,
    /// CPU time a request, in microseconds.
    cpu: Vec<f64>,
}

impl Rounds {
    async fn add(&mut self, clients: &[reqwest::Client], target: &Target, pace: Pace) {
        let (began, cpu) = (Instant::now(), cpu_time());
        let mut samples = match pace {
            Pace::Fixed => paced(clients, target).await,
            Pace::Unbound => closed(clients, target).await,
        };
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let requests = samples.0.len() as f64;
        self.per_second.push(requests / began.elapsed().as_secs_f64());
        self.cpu.push(cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6 / requests);
        self.medians.push(samples.at(0.5));
        self.tails.push(samples.at(0.99));
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let facts = world::sandbox(adjoin_sandbox::Options::default());
    let service = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(SERVICE)
        .enable_all()
        .build()
        .expect("a runtime");
    let (direct, through) = service.block_on(prepare(&facts, folder.path()));

    let load_side = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    load_side.block_on(async {
        let clients: Vec<_> = (0..CONNECTIONS).map(|_| client()).collect();
        for target in [&direct, &through] {
            closed(&clients, target).await;
        }
        println!("campaign.get, {CONNECTIONS} connections, SQLite, load average {}; microseconds", load());
        println!("the median of {ROUNDS} rounds (quartiles)");
        println!("{:>20} {:>20} {:>20} {:>20} {:>10}", "", "p50", "p99", "CPU a request", "a second");
        for pace in [Pace::Fixed, Pace::Unbound] {
            let (mut proxy, mut adjoin) = (Rounds::default(), Rounds::default());
            for _ in 0..ROUNDS {
                proxy.add(&clients, &direct, pace).await;
                adjoin.add(&clients, &through, pace).await;
            }
            match pace {
                Pace::Fixed => println!("{RATE} requests a second"),
                Pace::Unbound => println!("as fast as they go"),
            }
            for (name, rounds) in [("bare proxy", &proxy), ("adjoin", &adjoin)] {
                let [p50, p99, cpu] = [&rounds.medians, &rounds.tails, &rounds.cpu].map(|all| shown(all));
                let [_, per_second, _] = quartiles(&rounds.per_second);
                println!("{name:>20} {p50:>20} {p99:>20} {cpu:>20} {per_second:>10.0}");
            }
            let added = |of: fn(&Rounds) -> &[f64]| {
                let pairs = of(&adjoin).iter().zip(of(&proxy));
                shown(&pairs.map(|(adjoin, proxy)| adjoin - proxy).collect::<Vec<_>>())
            };
            println!(
                "{:>20} {:>20} {:>20} {:>20}",
                "added",
                added(|it| &it.medians),
                "",
                added(|it| &it.cpu)
            );
        }
        println!("goal: at most {GOAL:.0} added at the median");
    });
}

/// The CPU time that the service's threads have taken, and those of SQLite, which works for it.
fn cpu_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let of = |file: &str| std::fs::read_to_string(task.path().join(file)).ok();
        let ran = || of("schedstat")?.split(' ').next()?.parse::<u64>().ok();
        let name = of("comm")?;
        if name.starts_with(SERVICE) || name.starts_with("sqlx") { ran() } else { None }
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// A quarter of the way up, the middle, three quarters.
fn quartiles(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[(sorted.len() - 1) * quarter / 4])
}

fn shown(figures: &[f64]) -> String {
    let [low, middle, high] = quartiles(figures);
    format!("{middle:.0} ({low:.0} to {high:.0})")
}

/// The same read at both: through the bare proxy, and as a method call of the service.
async fn prepare(facts: &Facts, folder: &std::path::Path) -> (Target, Target) {
    let proxy = proxy(&facts.graph_url).await;
    let database = format!("sqlite://{}", folder.join("adjoin.db").display());
    let (app, origin) = world::serve(facts, &database, folder).await;
    let (account, connection) = world::connect(&app, facts, &origin).await;
    let (_, key) =
        api_keys::create(&app, &Actor::System, "bench", Some(account.clone())).await.expect("a key");
    let token = key.expose_secret().to_owned();

    let method =
        |name: &str| format!("{origin}/v1/accounts/{account}/connections/{connection}/methods/{name}");
    let create = json!({ "ad_account_id": facts.ad_account_id, "name": "Bench", "objective": "OUTCOME_LEADS",
                         "special_ad_categories": [], "is_adset_budget_sharing_enabled": false });
    let made = reqwest::Client::new()
        .post(method("campaign.create"))
        .bearer_auth(&token)
        .json(&create)
        .send()
        .await
        .expect("it answers");
    let made: serde_json::Value = made.json().await.expect("JSON");
    let id = made["data"]["id"].as_str().expect("a campaign").to_owned();
    let get = adjoin_marketing::catalogue::method("campaign.get").expect("a method");
    let direct = Target {
        method: reqwest::Method::GET,
        url: format!("{proxy}/{}/{id}?fields={}", facts.api_version, get.default_fields.join(",")),
        token: facts.access_token.clone(),
        body: None,
    };
    let through = Target {
        method: reqwest::Method::POST,
        url: method("campaign.get"),
        token,
        body: Some(json!({ "campaign_id": id }).to_string()),
    };
    (direct, through)
}

/// Passes a request on and its answer back, and does nothing else.
async fn proxy(graph_url: &str) -> String {
    #[derive(Clone)]
    struct Upstream {
        http: reqwest::Client,
        base: Arc<str>,
    }
    async fn pass_on(State(upstream): State<Upstream>, request: Request) -> (StatusCode, HeaderMap, Bytes) {
        let url = format!("{}{}", upstream.base, request.uri());
        let token = request.headers()[header::AUTHORIZATION].clone();
        let answer =
            upstream.http.get(url).header(header::AUTHORIZATION, token).send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.bytes().await.expect("a body"))
    }
    // As the service's own client.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .user_agent("bare proxy")
        .build()
        .expect("a client");
    let router = Router::new().fallback(pass_on).with_state(Upstream { http, base: graph_url.into() });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(web::serve(listener, router, std::future::pending()));
    format!("http://{address}")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

async fn send(http: &reqwest::Client, target: &Target) -> Duration {
    let began = Instant::now();
    let mut request = http.request(target.method.clone(), &target.url).bearer_auth(&target.token);
    if let Some(body) = &target.body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    let took = began.elapsed();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    took
}

/// Each connection sends its next request when the last was answered.
async fn closed(clients: &[reqwest::Client], target: &Target) -> Samples {
    let runs = clients.iter().map(|http| {
        let (http, target) = (http.clone(), target.clone());
        tokio::spawn(async move {
            let mut samples = Vec::with_capacity(CLOSED / CONNECTIONS);
            for _ in 0..CLOSED / CONNECTIONS {
                samples.push(send(&http, &target).await);
            }
            samples
        })
    });
    gather(runs).await
}

/// Each connection sends at its moments.
async fn paced(clients: &[reqwest::Client], target: &Target) -> Samples {
    let connections = u32::try_from(CONNECTIONS).expect("a small number");
    let step = Duration::from_secs(1) * connections / RATE;
    let start = tokio::time::Instant::now();
    let runs = (0..connections).zip(clients).map(|(nth, http)| {
        let (http, target) = (http.clone(), target.clone());
        tokio::spawn(async move {
            let mut samples = Vec::new();
            let mut due = start + step * nth / connections;
            while due < start + PACED {
                // The timer is a millisecond coarse; what it is late by is nobody's latency.
                tokio::time::sleep_until(due).await;
                samples.push(send(&http, &target).await);
                due += step;
            }
            samples
        })
    });
    gather(runs).await
}

async fn gather(runs: impl Iterator<Item = tokio::task::JoinHandle<Vec<Duration>>>) -> Samples {
    let runs: Vec<_> = runs.collect();
    let mut samples = Samples::default();
    for run in runs {
        samples.0.extend(run.await.expect("it runs to its end"));
    }
    samples
}
