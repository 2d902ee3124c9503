//! What a method call through the service costs beyond a bare reverse proxy to the same sandbox.
//!
//! Proxy and service are built with the same HTTP stack (axum, reqwest) and run in the same process, the sandbox and
//! the load on threads of their own. 32 connections, once at a fixed rate and once as fast as they go. `cargo bench -p adjoin --bench method_overhead`. Loopback only; about a minute.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use adjoin::{
    audit::Actor,
    cli::demo::browser::Browser,
    config::Options,
    service::{
        App,
        accounts::{self, NewAccount},
        api_keys,
        connect_sessions::{self, Kind, NewConnectSession},
        setup::{self, Login, NewSetup},
    },
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
    web,
};
use adjoin_sandbox::{Facts, Sandbox};
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::net::TcpListener;

const CONNECTIONS: usize = 32;
/// Requests a second in the fixed-rate runs: well below what either can do on two cores.
const RATE: u32 = 400;
const FIXED: Duration = Duration::from_secs(5);
/// Requests a run when they go as fast as they can.
const CLOSED: usize = 6000;
const ROUNDS: usize = 3;

/// One request that is sent over and over.
#[derive(Clone)]
struct Target {
    method: reqwest::Method,
    url: String,
    token: String,
    body: Option<String>,
}

#[derive(Default)]
struct Samples(Vec<Duration>);

impl Samples {
    fn at(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index of a vector"
        )]
        let index = ((self.0.len() - 1) as f64 * share) as usize;
        self.0[index].as_secs_f64() * 1e6
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let facts = sandbox();
    let service = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (direct, through) = service.block_on(prepare(&facts, folder.path()));

    let load = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    load.block_on(async {
        for target in [&direct, &through] {
            closed(target, 1000).await;
        }
        println!("page.list, {CONNECTIONS} connections, SQLite, {ROUNDS} rounds; microseconds");
        println!(
            "{:>24} {:>10} {:>10} {:>10} {:>10} {:>12}",
            "", "proxy p50", "adjoin p50", "proxy p99", "adjoin p99", "added at p50"
        );
        for fixed_rate in [true, false] {
            let (mut proxy, mut adjoin) = (Samples::default(), Samples::default());
            let (mut proxy_time, mut adjoin_time) = (Duration::ZERO, Duration::ZERO);
            for _ in 0..ROUNDS {
                for (target, samples, time) in
                    [(&direct, &mut proxy, &mut proxy_time), (&through, &mut adjoin, &mut adjoin_time)]
                {
                    let began = Instant::now();
                    samples.0.extend(if fixed_rate {
                        paced(target).await
                    } else {
                        closed(target, CLOSED).await
                    });
                    *time += began.elapsed();
                }
            }
            let name =
                if fixed_rate { format!("{RATE} requests/s") } else { "as fast as they go".to_owned() };
            let (p, a) = (proxy.at(0.5), adjoin.at(0.5));
            println!(
                "{name:>24} {p:>10.0} {a:>10.0} {:>10.0} {:>10.0} {:>12.0}",
                proxy.at(0.99),
                adjoin.at(0.99),
                a - p
            );
            if !fixed_rate {
                let per_second = |samples: &Samples, time: Duration| {
                    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
                    let count = samples.0.len() as f64;
                    count / time.as_secs_f64()
                };
                println!(
                    "{:>24} proxy {:.0}/s, adjoin {:.0}/s",
                    "throughput",
                    per_second(&proxy, proxy_time),
                    per_second(&adjoin, adjoin_time)
                );
            }
        }
        println!("goal: at most 100 added at the median");
    });
}

/// The sandbox, on a thread of its own.
fn sandbox() -> Facts {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let sandbox = Sandbox::new(adjoin_sandbox::Options::default(), listener).expect("a sandbox");
            tell.send(sandbox.facts().clone()).expect("the bench waits");
            sandbox.run(std::future::pending()).await.expect("it serves");
        });
    });
    told.recv().expect("the sandbox starts")
}

/// The same read at both: through the bare proxy, and as a method call of the service.
async fn prepare(facts: &Facts, folder: &std::path::Path) -> (Target, Target) {
    let proxy = proxy(&facts.graph_url).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let app = app(facts, folder, &origin).await;
    tokio::spawn(web::run(app.clone(), listener, std::future::pending()));

    let (account, connection, token) = connect(&app, facts, &origin).await;
    // A read that Meta's limits for ad accounts do not count, or calls would wait for them soon.
    let list = adjoin_marketing::catalogue::method("page.list").expect("a method");
    let fields = list.default_fields.join(",");
    let direct = Target {
        method: reqwest::Method::GET,
        url: format!("{proxy}/{}/me/accounts?limit=25&fields={fields}", facts.api_version),
        token: facts.access_token.clone(),
        body: None,
    };
    let through = Target {
        method: reqwest::Method::POST,
        url: format!("{origin}/v1/accounts/{account}/connections/{connection}/methods/page.list"),
        token,
        body: Some("{}".to_owned()),
    };
    (direct, through)
}

async fn app(facts: &Facts, folder: &std::path::Path, origin: &str) -> App {
    let key_path = folder.join("master.key");
    let key_file = KeyFile::generate(&key_path).expect("a key file");
    let config = Options {
        database_url: Some(format!("sqlite://{}", folder.join("adjoin.db").display())),
        service_domain: Some(origin.trim_start_matches("http://").to_owned()),
        master_key_file: Some(key_path),
        graph_url: Some(facts.graph_url.parse().expect("a URL")),
        dialog_url: Some(facts.dialog_url.parse().expect("a URL")),
        api_rate: std::num::NonZeroU32::new(1_000_000),
        ..Options::default()
    }
    .resolve(None)
    .expect("a configuration");
    let db = Db::open(&config.database_url).await.expect("a database");
    App::new(config, db.clone(), Vault::new(db, key_file), Clock::System)
}

/// A connected account, and an API key.
async fn connect(app: &App, facts: &Facts, origin: &str) -> (String, String, String) {
    let register = format!("{}/apps/{}/redirect_uris", facts.admin_url, facts.app_id);
    let uri = json!({ "redirect_uri": format!("{origin}/connector/callback") });
    reqwest::Client::new().post(register).json(&uri).send().await.expect("the sandbox answers");
    let new = NewSetup {
        client_id: facts.app_id.clone(),
        client_secret: Some(SecretString::from(facts.app_secret.clone())),
        login: Login::Facebook,
        use_cases: vec!["ads".to_owned()],
        extra_permissions: Vec::new(),
        graph_version: None,
        keyed_redirect_uri: None,
    };
    setup::save(app, &Actor::System, new).await.expect("a setup");
    let new = NewAccount { name: "Bench".to_owned(), external_id: None };
    let account = accounts::create(app, &Actor::System, new).await.expect("an account").id;
    let new = NewConnectSession {
        account_id: account.clone(),
        kind: Kind::Link,
        use_cases: Vec::new(),
        configuration: None,
        rerequest: false,
    };
    let (session, link) = connect_sessions::create(app, &Actor::System, new).await.expect("a session");
    let mut browser = Browser::new().expect("a browser");
    let page = browser.get(&format!("{origin}/connect/{}", link.expose_secret())).await.expect("a page");
    let dialog =
        browser.submit(&page, &page.form("/connect/").expect("a form"), None).await.expect("a dialog");
    let form = dialog.form("/dialog").expect("a form");
    let confirm = browser.submit(&dialog, &form, Some("continue")).await.expect("a confirmation");
    browser.submit(&confirm, &confirm.form("/connect/").expect("a form"), None).await.expect("the end");
    let (_, key) =
        api_keys::create(app, &Actor::System, "bench", Some(account.clone())).await.expect("a key");
    (account.to_string(), session.connection_id.to_string(), key.expose_secret().to_owned())
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
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let router = Router::new().fallback(pass_on).with_state(Upstream { http, base: graph_url.into() });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build().expect("a client")
}

async fn send(http: &reqwest::Client, target: &Target) {
    let mut request = http.request(target.method.clone(), &target.url).bearer_auth(&target.token);
    if let Some(body) = &target.body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
}

/// Each connection sends its next request when the last was answered.
async fn closed(target: &Target, requests: usize) -> Vec<Duration> {
    let runs = (0..CONNECTIONS).map(|_| {
        let (http, target) = (client(), target.clone());
        tokio::spawn(async move {
            let mut samples = Vec::with_capacity(requests / CONNECTIONS);
            for _ in 0..requests / CONNECTIONS {
                let began = Instant::now();
                send(&http, &target).await;
                samples.push(began.elapsed());
            }
            samples
        })
    });
    gather(runs).await
}

/// Each connection sends at its moments.
async fn paced(target: &Target) -> Vec<Duration> {
    let connections = u32::try_from(CONNECTIONS).expect("a small number");
    let step = Duration::from_secs(1) * connections / RATE;
    let start = tokio::time::Instant::now() + Duration::from_millis(100);
    let runs = (0..connections).map(|nth| {
        let (http, target) = (client(), target.clone());
        tokio::spawn(async move {
            let mut samples = Vec::new();
            let mut due = start + step * nth / connections;
            while due < start + FIXED {
                tokio::time::sleep_until(due).await;
                // The timer is a millisecond coarse; what it is late by is nobody's latency.
                let began = Instant::now();
                send(&http, &target).await;
                samples.push(began.elapsed());
                due += step;
            }
            samples
        })
    });
    gather(runs).await
}

async fn gather(runs: impl Iterator<Item = tokio::task::JoinHandle<Vec<Duration>>>) -> Vec<Duration> {
    let runs: Vec<_> = runs.collect();
    let mut samples = Vec::new();
    for run in runs {
        samples.extend(run.await.expect("it runs to its end"));
    }
    samples
}
