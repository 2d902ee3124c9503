//! How fast leads come in and go out, and what memory it takes.
//!
//! First a form that holds many leads is swept; then people submit forms and their leads travel the whole way: webhook,
//! hydration, delivery. Beside each stands the bare work of the same run: reading the same pages or leads with the Graph client, posting
//! the same number of bodies to the same receiver. `cargo bench -p adjoin --bench leads`; 20,000 leads, or as many as
//! `ADJOIN_BENCH_LEADS` says (a million takes about a quarter of an hour). SQLite; loopback only.

mod support {
    pub mod machine;
    pub mod world;
}

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use adjoin::{
    audit::Actor,
    service::{App, connections, deliveries, work},
    store::{FromRow, Result, Row, sql},
};
use adjoin_graph::{Batch, Request};
use adjoin_sandbox::{Facts, FillLeads, Options};
use axum::{Router, body::Bytes, extract::State, routing::post};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use support::{machine::load, world};
use tokio::net::TcpListener;

const LEADS: u64 = 20_000;
const SUBMITTED: u64 = 2_000;
const FIELDS: &str = "id,created_time,field_data,custom_disclaimer_responses,form_id,is_organic,platform,ad_id,ad_name,\
                      adset_id,adset_name,campaign_id,campaign_name";
/// How often it is looked whether something is done.
const LOOK: Duration = Duration::from_millis(20);
/// Bodies under way at the bare receiver: as many as deliveries have at one endpoint.
const AT_ONCE: usize = 8;

fn main() {
    let many = std::env::var("ADJOIN_BENCH_LEADS").ok().and_then(|it| it.parse().ok()).unwrap_or(LEADS);
    let fill_leads = FillLeads { leads: many, ..FillLeads::default() };
    let facts = world::sandbox(Options { fill_leads, ..Options::default() });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = format!("sqlite://{}", folder.path().join("adjoin.db").display());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (app, origin) = world::serve(&facts, &database, folder.path()).await;
        println!("{many} leads, then {SUBMITTED} submissions; SQLite, load average {}", load());
        let idle = resident_mb();
        let (account, connection) = world::connect(&app, &facts, &origin).await;
        let access = connections::page_access(&app, &account, &connection, &facts.page_id)
            .await
            .expect("a Page token");
        let began = Instant::now();
        let read = pages(&access, &facts).await;
        told("bare reading of the form", read, began.elapsed());
        assert!(read >= many, "{read} leads are in the form");

        tokio::spawn(work::run(app.clone(), std::future::pending()));
        let began = Instant::now();
        let mut seen = Vec::new();
        for tenth in 1..=10 {
            until(|| async { hydrated(&app).await >= many * tenth / 10 }).await;
            seen.push(format!("{:.0}", resident_mb()));
        }
        told("swept, sealed and committed", many, began.elapsed());
        println!("{:>34} {} (idle {idle:.0})", "MB resident at each tenth", seen.join(" "));

        let receiver = Receiver::start().await;
        let endpoint = deliveries::NewEndpoint {
            account_id: Some(account.clone()),
            url: receiver.url.clone(),
            description: String::new(),
            types: vec!["lead.created".parse().expect("a type")],
            test_leads: false,
        };
        let all = deliveries::create(
            &app,
            &Actor::System,
            &adjoin::service::api_keys::Reach::AllAccounts,
            endpoint,
        );
        all.await.expect("an endpoint");
        let (held, began) = (hydrated(&app).await, Instant::now());
        let ids = submit(&facts).await;
        until(|| async { hydrated(&app).await >= held + SUBMITTED }).await;
        told("webhook to hydrated", SUBMITTED, began.elapsed());
        until(|| async { receiver.taken() >= SUBMITTED }).await;
        told("webhook to delivered", SUBMITTED, began.elapsed());

        let began = Instant::now();
        singly(&access, &ids).await;
        told("bare reading, 50 in a batch", SUBMITTED, began.elapsed());
        let began = Instant::now();
        receiver.post_bare(SUBMITTED).await;
        told("bare posts, 8 at once", SUBMITTED, began.elapsed());
    });
}

fn told(what: &str, many: u64, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a few millions")]
    let rate = many as f64 / took.as_secs_f64();
    println!("{what:>34} {rate:>10.0} a second");
}

/// What the process holds, in MB.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}

/// Looks again and again until it is so.
async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    while !is_so().await {
        tokio::time::sleep(LOOK).await;
    }
}

async fn hydrated(app: &App) -> u64 {
    struct Count(i64);
    impl FromRow for Count {
        fn from_row(row: &Row) -> Result<Self> {
            Ok(Self(row.get("count")?))
        }
    }
    let row: Option<Count> = sql("SELECT COUNT(*) AS count FROM leads WHERE status = 'hydrated'")
        .optional(&app.db)
        .await
        .expect("a count");
    row.map_or(0, |row| row.0.unsigned_abs())
}

/// Reads the form's leads page by page, and keeps none.
async fn pages(access: &connections::Access, facts: &Facts) -> u64 {
    let request =
        Request::get(format!("/{}/leads", facts.form_id)).param("fields", FIELDS).param("limit", 500);
    let items = access.graph.items::<Value>(request, access.token.clone());
    items.try_fold(0, |count, _| async move { Ok(count + 1) }).await.expect("the form's leads")
}

async fn submit(facts: &Facts) -> Vec<String> {
    let url = format!("{}/forms/{}/leads", facts.admin_url, facts.form_id);
    let answer = reqwest::Client::new()
        .post(url)
        .json(&json!({ "count": SUBMITTED }))
        .send()
        .await
        .expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    let ids = answer["ids"].as_array().expect("ids").iter();
    ids.map(|id| id.as_str().expect("text").to_owned()).collect()
}

async fn singly(access: &connections::Access, ids: &[String]) {
    for ids in ids.chunks(Batch::MAX_ITEMS) {
        let batch = ids.iter().fold(Batch::default(), |batch, id| {
            batch.with(Request::get(format!("/{id}")).param("fields", FIELDS))
        });
        let answers = access.graph.send_batch(&batch, &access.token).await.expect("answers");
        assert_eq!(answers.len(), ids.len());
    }
}

/// An endpoint that takes everything at once.
struct Receiver {
    url: String,
    taken: Arc<AtomicU64>,
}

impl Receiver {
    async fn start() -> Self {
        async fn take(State(taken): State<Arc<AtomicU64>>, _: Bytes) {
            taken.fetch_add(1, Ordering::Relaxed);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let taken = Arc::new(AtomicU64::new(0));
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&taken));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, taken }
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    async fn post_bare(&self, many: u64) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let body = "x".repeat(1500);
        let posts = (0..many).map(|_| http.post(&self.url).body(body.clone()).send());
        stream::iter(posts)
            .buffer_unordered(AT_ONCE)
            .for_each(|answer| async move {
                assert!(answer.expect("an answer").status().is_success());
            })
            .await;
    }
}
