//! Deliveries: events on their way to a receiver, which the test owns and which fails when it is told to.

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use adjoin::{
    audit::Actor,
    id::{AccountId, LeadId},
    service::{
        App,
        api_keys::Reach,
        deliveries,
        events::{self, Kind, NewEvent},
        leads::{self, Sighting, Source},
    },
    store::{Db, FromRow, Row, leads as leads_table, sql},
    vault::{self, KeyFile, Scope, Vault},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::{
    api::{Backend, account, read},
    process::{adjoin, behind_a_proxy},
    support::{TestApp, on_each_app},
};

/// What the receiver does with the next request.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Status(u16),
    RetryAfter(u16, &'static str),
    /// Never.
    None,
    /// With a body that does not end.
    Endless(u16),
    /// With what it was sent.
    Echo(u16),
    /// The same, once the test lets it.
    EchoLater(u16),
}

#[derive(Debug, Clone)]
pub struct Got {
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The number that the test gave the event.
    fn n(&self) -> i64 {
        self.json()["data"]["n"].as_i64().unwrap()
    }
}

#[derive(Debug, Default)]
struct Script {
    /// For the next requests; then 200.
    next: Mutex<VecDeque<Answer>>,
    /// For all requests.
    always: Mutex<Option<Answer>>,
    /// Events with these numbers are refused.
    refused: Mutex<HashSet<i64>>,
    got: Mutex<Vec<Got>>,
    arrived: Notify,
    let_go: Notify,
}

/// A partner's backend that events are posted to.
#[derive(Debug)]
pub struct Receiver {
    pub url: String,
    script: Arc<Script>,
    server: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let script = Arc::<Script>::default();
        let router = Router::new().route("/in", post(receive)).with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script, server }
    }

    fn answer(&self, answers: &[Answer]) {
        self.script.next.lock().unwrap().extend(answers);
    }

    pub fn always(&self, answer: Option<Answer>) {
        *self.script.always.lock().unwrap() = answer;
    }

    pub fn got(&self) -> Vec<Got> {
        self.script.got.lock().unwrap().clone()
    }

    /// Numbers of the events since the last look.
    fn take(&self) -> Vec<i64> {
        std::mem::take(&mut *self.script.got.lock().unwrap()).iter().map(Got::n).collect()
    }
}

async fn receive(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let got = Got { headers, body };
    let (n, sent) = (got.json()["data"]["n"].as_i64(), got.body.clone());
    script.got.lock().unwrap().push(got);
    script.arrived.notify_one();
    if n.is_some_and(|n| script.refused.lock().unwrap().contains(&n)) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let always = *script.always.lock().unwrap();
    let answer = always.or_else(|| script.next.lock().unwrap().pop_front()).unwrap_or(Answer::Status(200));
    let status = |code| StatusCode::from_u16(code).unwrap();
    match answer {
        Answer::Status(code) => (status(code), "said no\0").into_response(),
        Answer::RetryAfter(code, after) => (status(code), [("retry-after", after)]).into_response(),
        Answer::None => std::future::pending().await,
        Answer::Endless(code) => {
            let chunks = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 4096])));
            (status(code), Body::from_stream(chunks)).into_response()
        }
        Answer::Echo(code) => (status(code), sent).into_response(),
        Answer::EchoLater(code) => {
            script.let_go.notified().await;
            (status(code), sent).into_response()
        }
    }
}

/// A service, an account, and a receiver with an endpoint.
struct World<'a> {
    test: &'a TestApp,
    backend: Backend,
    account: AccountId,
    receiver: Receiver,
    endpoint: String,
    secret: String,
}

impl<'a> World<'a> {
    async fn new(test: &'a TestApp) -> Self {
        Self::with(test, json!({})).await
    }

    /// With an endpoint that has these fields besides its URL.
    async fn with(test: &'a TestApp, fields: Value) -> Self {
        let (backend, account) = (Backend::new(test, None).await, account(test, "Acme").await);
        let receiver = Receiver::start().await;
        let mut new = fields;
        new["url"] = receiver.url.clone().into();
        let (status, made) = backend.send(Method::POST, "/v1/endpoints", &new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        let (endpoint, secret) = (field("id"), field("secret"));
        Self { test, backend, account, receiver, endpoint, secret }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/endpoints/{}{rest}", self.endpoint)
    }

    async fn post(&self, rest: &str, body: Value) -> (StatusCode, Value) {
        self.backend.send(Method::POST, &self.path(rest), &body).await
    }

    async fn endpoint(&self) -> Value {
        self.backend.get(&self.path("")).await.1
    }

    async fn record(&self, kind: Kind, subject: &str, n: i64) {
        record(&self.test.app, &self.account, kind, subject, n).await;
    }

    async fn step(&self) {
        deliveries::step(&self.test.app).await.unwrap();
    }

    /// The deliveries, oldest first: status and attempts.
    async fn deliveries(&self) -> Vec<(String, i64)> {
        let (_, list) = self.backend.get(&self.path("/deliveries?limit=100")).await;
        let rows = list["data"].as_array().unwrap().iter().rev();
        rows.map(|row| (row["status"].as_str().unwrap().to_owned(), row["attempts"].as_i64().unwrap()))
            .collect()
    }

    /// The only delivery, with its attempts.
    async fn delivery(&self) -> Value {
        let (_, list) = self.backend.get(&self.path("/deliveries")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        self.backend.get(&format!("/v1/deliveries/{}", list["data"][0]["id"].as_str().unwrap())).await.1
    }
}

async fn record(app: &App, account: &AccountId, kind: Kind, subject: &str, n: i64) {
    let new = NewEvent::new(Some(account.clone()), kind, subject, json!({ "n": n }));
    let mut tx = app.db.begin().await.unwrap();
    events::record(&mut tx, new, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// A lead that Meta has told whole.
async fn lead(test: &TestApp, account: &AccountId, meta_lead_id: &str) -> LeadId {
    lead_of(test, account, meta_lead_id, EMAIL).await
}

const EMAIL: &str = "ada@example.com";

/// The same, of somebody with this address.
async fn lead_of(test: &TestApp, account: &AccountId, meta_lead_id: &str, email: &str) -> LeadId {
    let now = test.clock.now();
    let sighting = Sighting {
        account_id: account.clone(),
        meta_lead_id: meta_lead_id.to_owned(),
        page_id: "1".to_owned(),
        form_id: "2".to_owned(),
        ad_id: None,
        submitted_at: Some(now),
        source: Source::Sweep,
        at: now,
        detail: Some(json!({ "id": meta_lead_id, "field_data": [{ "name": "email", "values": [email] }] })),
    };
    let mut tx = test.app.db.begin().await.unwrap();
    let sighted = leads::sight(&test.app, &mut tx, sighting).await.unwrap();
    tx.commit().await.unwrap();
    sighted.lead_id
}

fn owned(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(status, attempts)| ((*status).to_owned(), *attempts)).collect()
}

#[test]
fn a_lead_arrives_signed_and_is_marked() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        // The published library compares with the system's clock.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        test.clock.advance_seconds(i64::try_from(now).unwrap() - test.clock.now().unix());
        let id = lead(test, &world.account, "700").await;
        world.step().await;
        let got = world.receiver.got();
        assert_eq!(got.len(), 1);
        let oracle = standardwebhooks::Webhook::new(&world.secret).unwrap();
        oracle.verify(&got[0].body, &got[0].headers).unwrap();
        let mut other = got[0].headers.clone();
        other.insert("webhook-id", "evt_other".parse().unwrap());
        assert!(oracle.verify(&got[0].body, &other).is_err());

        let body = got[0].json();
        assert_eq!(body["id"], got[0].header("webhook-id"));
        assert_eq!((&body["type"], &body["account_id"]), (&json!("lead.created"), &json!(world.account)));
        assert_eq!((&body["seq"], &body["data"]["lead_id"]), (&json!(1), &json!(id)));
        assert_eq!(body["data"]["answers"][0]["values"], json!(["ada@example.com"]));
        assert_eq!(got[0].header("content-type"), "application/json");

        let delivery = world.delivery().await;
        assert_eq!((&delivery["status"], &delivery["last_status"]), (&json!("delivered"), &json!(200)));
        assert_eq!(delivery["attempt_log"].as_array().unwrap().len(), 1);
        let stored = leads_table::by_id(&test.app.db, &world.account, &id).await.unwrap().unwrap();
        assert_eq!(stored.delivered_at, Some(test.clock.now()));
        world.step().await;
        assert_eq!(world.receiver.got().len(), 1);
        assert!(
            test.app.metrics.render(0.0).contains(r#"adjoin_delivery_attempts_total{outcome="delivered"} 1"#)
        );

        // Erased, it is not told again.
        let mut tx = test.app.db.begin().await.unwrap();
        leads_table::put_detail(&mut tx, &id, None).await.unwrap();
        tx.commit().await.unwrap();
        let (_, read) = world.backend.get("/v1/events").await;
        assert_eq!(read["data"][0]["data"], json!({ "lead_id": id, "erased": true }));
    });
}

#[test]
fn events_of_one_subject_arrive_in_order_and_hold_up_no_other() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.script.refused.lock().unwrap().insert(1);
        for (subject, n) in [("a", 1), ("a", 2), ("b", 10), ("a", 3)] {
            world.record(Kind::LeadUpdated, subject, n).await;
        }
        world.step().await;
        let mut first = world.receiver.take();
        first.sort_unstable();
        assert_eq!(first, [1, 10]);
        world.receiver.script.refused.lock().unwrap().clear();
        test.clock.advance_seconds(4);
        world.step().await;
        assert_eq!(world.receiver.take(), [0; 0]);
        test.clock.advance_seconds(2);
        world.step().await;
        assert_eq!(world.receiver.take(), [1, 2, 3]);
        let done = owned(&[("delivered", 2), ("delivered", 1), ("delivered", 1), ("delivered", 1)]);
        assert_eq!(world.deliveries().await, done);
    });
}

#[test]
fn a_delivery_that_a_crash_interrupted_is_sent_again() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.record(Kind::AdAlert, "a", 1).await;
        world.receiver.answer(&[Answer::None]);
        // Dropped in the middle of the attempt, as by a crash.
        tokio::select! {
            () = world.receiver.script.arrived.notified() => {}
            () = world.step() => panic!("the receiver does not answer"),
        }
        world.step().await;
        test.clock.advance_seconds(59);
        world.step().await;
        assert_eq!(world.receiver.got().len(), 1, "the lease is over too early");
        test.clock.advance_seconds(1);
        world.step().await;
        let got = world.receiver.got();
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
        assert_ne!(got[0].header("webhook-timestamp"), got[1].header("webhook-timestamp"));
        assert_eq!(world.deliveries().await, owned(&[("delivered", 1)]));
    });
}

#[test]
fn gone_disables_and_enabling_sends_what_was_held() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.answer(&[Answer::Status(410)]);
        world.record(Kind::AdAlert, "a", 1).await;
        world.record(Kind::AdAlert, "a", 2).await;
        world.step().await;
        let endpoint = world.endpoint().await;
        assert_eq!((&endpoint["status"], &endpoint["cause"]), (&json!("disabled"), &json!("gone")));
        assert_eq!(world.deliveries().await, owned(&[("held", 1), ("held", 0)]));
        // What happens meanwhile is not put on its way.
        world.record(Kind::AdAlert, "a", 3).await;
        test.clock.advance_seconds(100_000);
        world.step().await;
        assert_eq!(world.receiver.take(), [1]);
        for refused in ["/test", "/recover"] {
            assert_eq!(world.post(refused, json!({})).await.0, StatusCode::CONFLICT);
        }
        let enabled = json!({ "enabled": true });
        let (status, _) = world.backend.send(Method::PATCH, &world.path(""), &enabled).await;
        assert_eq!(status, StatusCode::OK);
        world.step().await;
        assert_eq!(world.receiver.take(), [1, 2]);
    });
}

#[test]
fn the_other_endpoints_are_told_that_one_is_disabled() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let (others, strangers) = (Receiver::start().await, Receiver::start().await);
        let stranger = account(test, "Bakery").await;
        for new in [
            json!({ "url": others.url, "types": ["endpoint.*"] }),
            json!({ "url": strangers.url, "account_id": stranger }),
        ] {
            assert_eq!(world.backend.send(Method::POST, "/v1/endpoints", &new).await.0, StatusCode::CREATED);
        }
        world.receiver.answer(&[Answer::Status(410)]);
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        let told = others.got();
        assert_eq!(told.len(), 1);
        let told = told[0].json();
        assert_eq!((&told["type"], &told["account_id"]), (&json!("endpoint.disabled"), &json!(null)));
        let data = &told["data"];
        assert_eq!((&data["endpoint_id"], &data["cause"]), (&json!(world.endpoint), &json!("gone")));
        assert_eq!((&data["host"], &data["who"]), (&json!("127.0.0.1"), &json!("partner")));
        // Who reads events is told as well; a key of one account has nothing to do with the partner's endpoints.
        let (_, read) = world.backend.get("/v1/events?types=endpoint.disabled").await;
        assert_eq!(read["data"][0]["data"], *data);
        let of_account = Backend::new(test, Some(world.account.clone())).await;
        let (_, read) = of_account.get("/v1/events?types=endpoint.disabled").await;
        assert_eq!(read["data"], json!([]));

        // By hand, once.
        world.backend.send(Method::PATCH, &world.path(""), &json!({ "enabled": true })).await;
        for _ in 0..2 {
            world.backend.send(Method::PATCH, &world.path(""), &json!({ "enabled": false })).await;
        }
        world.step().await;
        let causes: Vec<Value> = others.got().iter().map(|got| got.json()["data"]["cause"].clone()).collect();
        assert_eq!(causes, ["gone", "asked"]);
        assert_eq!((world.receiver.take(), strangers.got().len()), (vec![1], 0));
    });
}

#[test]
fn an_endpoint_that_asks_for_time_gets_it() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.answer(&[Answer::RetryAfter(503, "120")]);
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        assert_eq!(world.receiver.take(), [1]);
        // Nor is anything else sent there.
        world.record(Kind::AdAlert, "b", 2).await;
        test.clock.advance_seconds(119);
        world.step().await;
        assert_eq!(world.receiver.take(), [0; 0]);
        test.clock.advance_seconds(1);
        world.step().await;
        let mut both = world.receiver.take();
        both.sort_unstable();
        assert_eq!(both, [1, 2]);

        // Nobody is believed for longer than an hour.
        world.receiver.answer(&[Answer::RetryAfter(429, "86400")]);
        world.record(Kind::AdAlert, "c", 3).await;
        world.step().await;
        test.clock.advance_seconds(3600);
        world.step().await;
        assert_eq!(world.receiver.take(), [3, 3]);

        // The receiver is mended: what waits is tried now.
        world.receiver.answer(&[Answer::RetryAfter(429, "3000")]);
        world.record(Kind::AdAlert, "d", 4).await;
        world.step().await;
        assert_eq!(
            world.post("/recover", json!({})).await,
            (StatusCode::ACCEPTED, json!({ "deliveries": 1 }))
        );
        world.step().await;
        assert_eq!(world.receiver.take(), [4, 4]);
    });
}

#[test]
fn after_ten_attempts_it_is_dead_until_it_is_replayed() {
    on_each_app(async |test| {
        let world = World::with(test, json!({ "types": ["ad.*"] })).await;
        let begun = test.clock.now();
        let others = Receiver::start().await;
        let new = json!({ "url": others.url, "types": ["endpoint.*"] });
        assert_eq!(world.backend.send(Method::POST, "/v1/endpoints", &new).await.0, StatusCode::CREATED);
        world.record(Kind::AdAlert, "a", 1).await;
        world.receiver.always(Some(Answer::Status(500)));
        for wait in [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] {
            // With the whole jitter.
            test.clock.advance_seconds(wait + wait / 10 + 1);
            world.step().await;
        }
        assert_eq!(world.deliveries().await, owned(&[("dead", 10)]));
        test.clock.advance_seconds(200_000);
        world.step().await;
        let got = world.receiver.got();
        assert_eq!(got.len(), 10);
        let ids: HashSet<&str> = got.iter().map(|it| it.header("webhook-id")).collect();
        assert_eq!(ids.len(), 1);
        let delivery = world.delivery().await;
        let attempt = &delivery["attempt_log"][0];
        assert_eq!((&attempt["status"], &attempt["error"]), (&json!(500), &json!("it answered 500")));
        assert_eq!(attempt["response"], "said no\u{fffd}");
        // Somebody is told.
        let told = others.got();
        assert_eq!(told.len(), 1);
        let told = told[0].json();
        let data = &told["data"];
        assert_eq!((&told["type"], &told["account_id"]), (&json!("endpoint.delivery_dead"), &json!(null)));
        assert_eq!((&data["delivery_id"], &data["attempts"]), (&delivery["id"], &json!(10)));
        assert_eq!((&data["event_type"], &data["who"]), (&json!("ad.alert"), &json!("partner")));

        let window = |only: &str| json!({ "from": begun, "until": begun.plus_seconds(60), "only": only, "types": ["ad.*"] });
        world.receiver.always(None);
        let one = (StatusCode::ACCEPTED, json!({ "deliveries": 1 }));
        let none = (StatusCode::ACCEPTED, json!({ "deliveries": 0 }));
        world.receiver.take();
        assert_eq!(world.post("/replay", window("dead")).await, one);
        world.step().await;
        assert_eq!(world.receiver.take(), [1]);
        assert_eq!(world.deliveries().await, owned(&[("delivered", 1)]));
        assert_eq!(world.post("/replay", window("dead")).await, none);
        assert_eq!(world.post("/replay", window("all")).await, one);
        world.step().await;
        let again = world.receiver.got();
        assert_eq!(again[0].header("webhook-id"), *ids.iter().next().unwrap());
        let id = world.delivery().await["id"].as_str().unwrap().to_owned();
        let (status, _) =
            world.backend.send(Method::POST, &format!("/v1/deliveries/{id}/replay"), &json!({})).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        world.step().await;
        assert_eq!(world.receiver.take(), [1, 1]);
    });
}

#[test]
fn an_endpoint_gets_what_happened_before_it_was_there() {
    on_each_app(async |test| {
        let early = test.clock.now();
        let first = World::with(test, json!({ "types": ["ad.alert"] })).await;
        first.record(Kind::AdAlert, "a", 1).await;
        first.record(Kind::AdIssue, "a", 2).await;
        test.clock.advance_seconds(10);
        first.record(Kind::AdAlert, "a", 3).await;
        first.step().await;
        let later = json!({ "from": early, "until": early.plus_seconds(5), "only": "all" });
        let second = World::with(test, json!({ "types": ["ad.*"] })).await;
        second.step().await;
        assert_eq!(second.receiver.take(), [0; 0]);
        let two = (StatusCode::ACCEPTED, json!({ "deliveries": 2 }));
        assert_eq!(second.post("/replay", later.clone()).await, two);
        second.step().await;
        assert_eq!(second.receiver.take(), [1, 2]);
        let (status, _) = second.post("/replay", json!({ "from": early, "until": early })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(first.receiver.take(), [1, 3]);
    });
}

#[test]
fn five_days_without_success_disable_an_endpoint() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.always(Some(Answer::Status(500)));
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        test.clock.advance_seconds(5 * 86_400);
        // Its first attempt is not enough: the endpoint may have had nothing to do for days.
        world.record(Kind::AdAlert, "b", 2).await;
        world.step().await;
        assert_eq!(world.endpoint().await["status"], "enabled");
        test.clock.advance_seconds(400);
        world.step().await;
        let endpoint = world.endpoint().await;
        assert_eq!((&endpoint["status"], &endpoint["cause"]), (&json!("disabled"), &json!("failing")));
    });
}

#[test]
fn a_rotated_secret_signs_beside_the_old_one_for_a_day() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let (status, rotated) = world.post("/rotate-secret", json!({})).await;
        assert_eq!(status, StatusCode::OK, "{rotated}");
        assert_ne!(rotated["secret"], world.secret.as_str());
        // The secrets are sealed anew, and still sign.
        let mut file = KeyFile::read(&test.key_file()).unwrap();
        file.add_key().unwrap();
        let vault = Vault::new(test.app.db.clone(), file);
        let rotation = vault::rotate(&vault, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!(rotation.secrets_sealed, 1);
        let (status, delivery) = world.post("/test", json!({})).await;
        assert_eq!((status, &delivery["type"]), (StatusCode::ACCEPTED, &json!("endpoint.test")));
        world.step().await;
        test.clock.advance_seconds(24 * 3600);
        world.post("/test", json!({})).await;
        world.step().await;
        let got = world.receiver.got();
        let sign = |secret: &str, got: &Got| {
            let timestamp = got.header("webhook-timestamp").parse().unwrap();
            let oracle = standardwebhooks::Webhook::new(secret).unwrap();
            oracle.sign(got.header("webhook-id"), timestamp, &got.body).unwrap()
        };
        let new = rotated["secret"].as_str().unwrap();
        let both = format!("{} {}", sign(new, &got[0]), sign(&world.secret, &got[0]));
        assert_eq!(got[0].header("webhook-signature"), both);
        assert_eq!(got[1].header("webhook-signature"), sign(new, &got[1]));
        assert_eq!(got[0].json()["account_id"], Value::Null);
        assert_eq!(got[0].json()["data"], json!({ "endpoint_id": world.endpoint }));
    });
}

#[test]
fn an_endpoint_gets_its_types_of_its_account_alone() {
    on_each_app(async |test| {
        let world = World::with(test, json!({ "types": ["lead.*", "ad.alert"] })).await;
        let other = account(test, "Other").await;
        let own = Receiver::start().await;
        let bound = json!({ "url": own.url, "account_id": other });
        assert_eq!(world.backend.send(Method::POST, "/v1/endpoints", &bound).await.0, StatusCode::CREATED);
        for (account, kind, n) in [
            (&world.account, Kind::LeadUpdated, 1),
            (&world.account, Kind::AdIssue, 2),
            (&other, Kind::AdAlert, 3),
            (&other, Kind::ConnectionBroken, 4),
        ] {
            record(&test.app, account, kind, &n.to_string(), n).await;
        }
        world.step().await;
        let sorted = |receiver: &Receiver| {
            let mut numbers = receiver.take();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(sorted(&world.receiver), [1, 3]);
        assert_eq!(sorted(&own), [3, 4]);
        let disabled = json!({ "enabled": false });
        world.backend.send(Method::PATCH, &world.path(""), &disabled).await;
        assert_eq!(world.endpoint().await["cause"], "asked");
        record(&test.app, &other, Kind::AdAlert, "5", 5).await;
        world.step().await;
        assert_eq!((sorted(&world.receiver), sorted(&own)), (vec![], vec![5]));
        let (status, problem) =
            world.backend.send(Method::PATCH, &world.path(""), &json!({ "types": ["lead.creatd"] })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    });
}

#[test]
fn a_key_of_an_account_reaches_its_own_alone() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let other = account(test, "Other").await;
        let bound = Backend::new(test, Some(other.clone())).await;
        let receiver = Receiver::start().await;
        let new = json!({ "url": receiver.url });
        let (status, own) = bound.send(Method::POST, "/v1/endpoints", &new).await;
        assert_eq!((status, &own["account_id"]), (StatusCode::CREATED, &json!(other)));
        let foreign = json!({ "url": receiver.url, "account_id": world.account });
        assert_eq!(bound.send(Method::POST, "/v1/endpoints", &foreign).await.0, StatusCode::NOT_FOUND);
        let (_, list) = bound.get("/v1/endpoints").await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);

        world.record(Kind::AdAlert, "a", 1).await;
        record(&test.app, &other, Kind::AdAlert, "b", 2).await;
        receiver.answer(&[Answer::Status(500)]);
        world.step().await;
        let delivery =
            |list: &Value, at: usize| format!("/v1/deliveries/{}", list["data"][at]["id"].as_str().unwrap());
        let (_, all) = world.backend.get(&world.path("/deliveries")).await;
        for path in [world.path(""), world.path("/deliveries"), delivery(&all, 0)] {
            assert_eq!(bound.get(&path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        for path in [
            world.path("/test"),
            world.path("/recover"),
            world.path("/rotate-secret"),
            delivery(&all, 0) + "/replay",
        ] {
            assert_eq!(bound.send(Method::POST, &path, &json!({})).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(read(bound.request(Method::DELETE, &world.path(""))).await.0, StatusCode::NOT_FOUND);

        // What an allowed internal address answers is the operator's to see.
        let own = format!("/v1/endpoints/{}/deliveries", own["id"].as_str().unwrap());
        let (_, mine) = bound.get(&own).await;
        let path = delivery(&mine, 0);
        assert_eq!(bound.get(&path).await.1["attempt_log"][0]["response"], Value::Null);
        assert!(world.backend.get(&path).await.1["attempt_log"][0]["response"].is_string());

        let (_, events) = bound.get("/v1/events").await;
        let numbers = |events: &Value| {
            let rows = events["data"].as_array().unwrap().iter();
            rows.map(|it| it["data"]["n"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&events), [2]);
        assert_eq!(numbers(&world.backend.get("/v1/events").await.1), [1, 2]);
        let (status, _) = bound.get(&format!("/v1/events?account_id={}", world.account)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn nothing_is_sent_into_the_network_the_service_stands_in() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        for url in [
            "http://hooks.example.com:81@10.0.0.1/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://0x0a000001/",
            "http://8.8.8.8/",
            "ftp://hooks.example.com/",
            "hooks.example.com",
        ] {
            let (status, problem) =
                world.backend.send(Method::POST, "/v1/endpoints", &json!({ "url": url })).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
            assert_eq!(problem["faults"][0]["field"], "url", "{url}");
        }
        // It is asked again at each attempt. Another process allows less, and a name is judged by where it leads.
        let mut config = test.app.config.clone();
        config.delivery_allow.clear();
        let strict = App::new(config, test.app.db.clone(), test.app.vault.clone(), test.clock.clone());
        world.post("/test", json!({})).await;
        deliveries::step(&strict).await.unwrap();
        let delivery = world.delivery().await;
        assert_eq!(world.receiver.got().len(), 0);
        assert!(delivery["last_error"].as_str().unwrap().ends_with("its address is internal"), "{delivery}");
        let name = json!({ "url": "https://localhost:8443/in" });
        assert_eq!(world.backend.send(Method::PATCH, &world.path(""), &name).await.0, StatusCode::OK);
        test.clock.advance_seconds(10);
        deliveries::step(&strict).await.unwrap();
        let delivery = world.delivery().await;
        let error = delivery["last_error"].as_str().unwrap();
        assert!(error.ends_with("its address is internal"), "{delivery}");
    });
}

#[test]
fn of_an_answer_only_the_beginning_is_read() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.answer(&[Answer::Endless(500), Answer::Endless(200), Answer::Status(302)]);
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        let delivery = world.delivery().await;
        assert_eq!(delivery["attempt_log"][0]["response"].as_str().unwrap(), "x".repeat(1024));
        test.clock.advance_seconds(10);
        world.step().await;
        assert_eq!(world.deliveries().await, owned(&[("delivered", 2)]));
        // A redirect is a failure.
        world.record(Kind::AdAlert, "b", 2).await;
        world.step().await;
        assert_eq!(world.deliveries().await[1], ("pending".to_owned(), 1));
    });
}

/// An attempt as it stands in the table.
struct Raw {
    error: Option<String>,
    response_sealed: Option<Vec<u8>>,
}

impl FromRow for Raw {
    fn from_row(row: &Row) -> adjoin::store::Result<Self> {
        Ok(Self { error: row.get("error")?, response_sealed: row.get("response_sealed")? })
    }
}

/// The only attempt: its error, and the answer that is kept.
async fn raw(test: &TestApp) -> (String, Option<Vec<u8>>) {
    let mut rows: Vec<Raw> =
        sql("SELECT error, response_sealed FROM delivery_attempts").all(&test.app.db).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = rows.remove(0);
    (row.error.unwrap_or_default(), row.response_sealed)
}

#[test]
fn an_answer_that_repeats_the_lead_is_sealed_and_goes_with_it() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.answer(&[Answer::Echo(500)]);
        let id = lead(test, &world.account, "700").await;
        world.step().await;
        let (error, first) = raw(test).await;
        let first = first.unwrap();
        assert_eq!(error, "it answered 500");
        assert!(!first.windows(EMAIL.len()).any(|it| it == EMAIL.as_bytes()), "it stands in the clear");
        let shown = async || world.delivery().await["attempt_log"][0]["response"].clone();
        assert!(shown().await.as_str().unwrap().contains(EMAIL));

        // A rotation finds it.
        let mut file = KeyFile::read(&test.key_file()).unwrap();
        file.add_key().unwrap();
        let vault = Vault::new(test.app.db.clone(), file);
        // The endpoint's secrets, the lead, and the answer.
        let rotation = vault::rotate(&vault, test.clock.now(), |_| {}).await.unwrap();
        assert_eq!(rotation.secrets_sealed, 3);
        assert_ne!(raw(test).await.1.unwrap(), first);
        assert!(shown().await.as_str().unwrap().contains(EMAIL));

        // Without the account's key there is nothing to show.
        let mut tx = test.app.db.begin().await.unwrap();
        vault.drop_scope(&mut tx, &Scope::Account(world.account.clone())).await.unwrap();
        tx.commit().await.unwrap();
        let fresh = Vault::new(test.app.db.clone(), KeyFile::read(&test.key_file()).unwrap());
        let config = test.app.config.clone();
        let other = App::new(config, test.app.db.clone(), fresh, test.clock.clone());
        let delivery = world.delivery().await["id"].as_str().unwrap().parse().unwrap();
        let detail = deliveries::delivery(&other, &Reach::AllAccounts, &delivery).await.unwrap();
        assert_eq!((detail.attempt_log.len(), &detail.attempt_log[0].response), (1, &None));

        leads::erase(&test.app, &Actor::System, &world.account, &id).await.unwrap();
        assert_eq!(raw(test).await.1, None);
    });
}

#[test]
fn the_answer_to_an_attempt_during_which_its_lead_was_erased_is_not_kept() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let id = lead(test, &world.account, "700").await;
        world.receiver.answer(&[Answer::EchoLater(500)]);
        let erase = async {
            world.receiver.script.arrived.notified().await;
            leads::erase(&test.app, &Actor::System, &world.account, &id).await.unwrap();
            world.receiver.script.let_go.notify_one();
        };
        tokio::join!(world.step(), erase);
        assert!(world.receiver.got()[0].json()["data"]["raw"].to_string().contains(EMAIL));
        assert_eq!(raw(test).await, ("it answered 500".to_owned(), None));
        assert_eq!(world.deliveries().await, owned(&[("pending", 1)]));
    });
}

#[test]
fn test_leads_go_to_endpoints_that_take_them_alone() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let begun = test.clock.now();
        let taking = Receiver::start().await;
        let new = json!({ "url": taking.url, "test_leads": true });
        let (_, made) = world.backend.send(Method::POST, "/v1/endpoints", &new).await;
        assert_eq!(
            (&made["test_leads"], &world.endpoint().await["test_leads"]),
            (&json!(true), &json!(false))
        );
        lead_of(test, &world.account, "700", "<test lead: dummy data for email>").await;
        lead(test, &world.account, "701").await;
        world.step().await;
        let taken = |receiver: &Receiver| {
            let got = std::mem::take(&mut *receiver.script.got.lock().unwrap());
            let mut leads: Vec<Value> =
                got.iter().map(|it| it.json()["data"]["meta_lead_id"].clone()).collect();
            leads.sort_by_key(Value::to_string);
            leads
        };
        assert_eq!(
            (taken(&world.receiver), taken(&taking)),
            (vec![json!("701")], vec![json!("700"), json!("701")])
        );
        let (_, read) = world.backend.get("/v1/events").await;
        let marks: Vec<&Value> =
            read["data"].as_array().unwrap().iter().map(|it| &it["data"]["is_test"]).collect();
        assert_eq!(marks, [true, false]);

        // Nor does a replay bring them, unless they are wanted by then.
        let window = json!({ "from": begun, "until": begun.plus_seconds(60), "only": "all" });
        let sent = async |count: i64| {
            let answer = world.post("/replay", window.clone()).await;
            assert_eq!(answer, (StatusCode::ACCEPTED, json!({ "deliveries": count })));
            world.step().await;
            taken(&world.receiver)
        };
        assert_eq!(sent(1).await, ["701"]);
        let (status, changed) =
            world.backend.send(Method::PATCH, &world.path(""), &json!({ "test_leads": true })).await;
        assert_eq!((status, &changed["test_leads"]), (StatusCode::OK, &json!(true)));
        assert_eq!(sent(2).await, ["700", "701"]);
        world.backend.send(Method::PATCH, &world.path(""), &json!({ "test_leads": false })).await;
        assert_eq!(sent(1).await, ["701"]);
    });
}

#[test]
fn what_is_held_is_kept_until_it_is_delivered() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.record(Kind::AdAlert, "a", 1).await;
        world.backend.send(Method::PATCH, &world.path(""), &json!({ "enabled": false })).await;
        test.clock.advance_seconds(91 * 86_400);
        deliveries::tidy(&test.app).await.unwrap();
        assert_eq!(world.deliveries().await, owned(&[("held", 0)]));
        world.backend.send(Method::PATCH, &world.path(""), &json!({ "enabled": true })).await;
        world.step().await;
        assert_eq!(world.receiver.take(), [1]);
        deliveries::tidy(&test.app).await.unwrap();
        assert_eq!(world.deliveries().await, []);
    });
}

#[test]
fn readers_see_no_gap_while_others_write() {
    on_each_app(async |test| {
        const WRITERS: i64 = 8;
        const EACH: i64 = 25;
        let account = account(test, "Acme").await;
        let writers: Vec<JoinHandle<()>> = (0..WRITERS)
            .map(|writer| {
                let (app, account) = (test.app.clone(), account.clone());
                tokio::spawn(async move {
                    for n in 0..EACH {
                        record(&app, &account, Kind::AdAlert, &writer.to_string(), n).await;
                    }
                })
            })
            .collect();
        let mut next = 0;
        while next < WRITERS * EACH {
            let wait = Duration::from_secs(20);
            let read = events::read(&test.app, &Reach::AllAccounts, None, &[], next, 7, wait).await.unwrap();
            assert!(!read.events.is_empty(), "writers have stopped at {next}");
            for event in read.events {
                assert_eq!(event.seq, next + 1);
                next = event.seq;
            }
        }
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_waiting() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.receiver.answer(&[Answer::RetryAfter(503, "3600")]);
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        test.clock.advance_seconds(-3 * 86_400);
        world.step().await;
        assert_eq!(world.receiver.take(), [1, 1]);
    });
}

#[test]
fn events_are_read_page_by_page_and_waited_for() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        for n in 1..=5 {
            let kind = if n % 2 == 0 { Kind::AdIssue } else { Kind::LeadUpdated };
            world.record(kind, "a", n).await;
        }
        let page = async |query: &str| world.backend.get(&format!("/v1/events?{query}")).await.1;
        let first = page("limit=2&types=lead.*").await;
        assert_eq!((&first["next"], &first["more"]), (&json!(3), &json!(true)));
        let second = page("limit=2&types=lead.*&after=3").await;
        assert_eq!((&second["next"], &second["more"]), (&json!(5), &json!(false)));
        assert_eq!(second["data"][0]["data"], json!({ "n": 5 }));
        // Nothing of what is not asked for is looked through twice.
        let none = page("types=connection.*").await;
        assert_eq!(none, json!({ "data": [], "next": 5, "more": false }));
        let last = page("types=ad.issue").await;
        assert_eq!((&last["data"][1]["seq"], &last["next"]), (&json!(4), &json!(5)));
        let none = page("after=5").await;
        assert_eq!(none, json!({ "data": [], "next": 5, "more": false }));
        let (waited, ()) = tokio::join!(page("after=5&wait=20"), world.record(Kind::AdAlert, "a", 6));
        assert_eq!(waited["next"], 6);
        // The number moves on while somebody waits, and what he waits for is not stepped over.
        let (waited, ()) = tokio::join!(page("after=5&wait=20&types=lead.updated"), async {
            world.record(Kind::AdAlert, "a", 7).await;
            world.record(Kind::LeadUpdated, "a", 8).await;
        });
        assert_eq!((&waited["data"][0]["data"]["n"], &waited["next"]), (&json!(8), &json!(8)));
        for wrong in ["after=-1", "after=x", "after=9", "wait=21", "types=leads.*", "limit=0", "since=1"] {
            let (status, _) = world.backend.get(&format!("/v1/events?{wrong}")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        }
    });
}

#[test]
fn old_events_are_forgotten_unless_they_are_on_their_way() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        world.record(Kind::AdAlert, "a", 1).await;
        world.step().await;
        world.record(Kind::AdAlert, "b", 2).await;
        test.clock.advance_seconds(91 * 86_400);
        world.record(Kind::AdAlert, "c", 3).await;
        assert!(deliveries::tidy(&test.app).await.unwrap());
        assert!(!deliveries::tidy(&test.app).await.unwrap());
        let (_, read) = world.backend.get("/v1/events").await;
        let left: Vec<&Value> = read["data"].as_array().unwrap().iter().map(|it| &it["data"]["n"]).collect();
        assert_eq!(left, [2, 3]);
        assert!(test.app.metrics.render(0.0).contains("adjoin_deliveries_waiting 2"));
    });
}

#[test]
fn many_endpoints_and_deliveries_all_arrive() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        let slow = World::new(test).await;
        slow.receiver.always(Some(Answer::Status(500)));
        for n in 0..300 {
            world.record(Kind::AdAlert, &(n % 150).to_string(), n).await;
        }
        world.step().await;
        let got = world.receiver.take();
        assert_eq!(got.iter().collect::<HashSet<_>>().len(), 300);
        assert_eq!(got.len(), 300);
        for subject in 0..150 {
            let place = |n: i64| got.iter().position(|it| *it == n).unwrap();
            assert!(place(subject) < place(subject + 150), "{subject}");
        }
        // Of each subject the first alone.
        assert_eq!(slow.receiver.take().len(), 150);
    });
}

#[test]
fn two_processes_deliver_each_event_once_and_in_its_order() {
    on_each_app(async |test| {
        let world = World::new(test).await;
        // Nothing is shared but the database.
        let db = Db::open(&test.app.config.database_url).await.unwrap();
        let vault = Vault::new(db.clone(), KeyFile::read(&test.key_file()).unwrap());
        let other = App::new(test.app.config.clone(), db.clone(), vault, test.clock.clone());
        // Six events of each of a hundred subjects; the last ones come while both are at it.
        let happen = async |numbers: std::ops::Range<i64>| {
            for n in numbers {
                world.record(Kind::LeadUpdated, &(n % 100).to_string(), n).await;
            }
        };
        happen(0..400).await;
        let deliver = async |app: &App| deliveries::step(app).await.unwrap();
        tokio::join!(deliver(&test.app), deliver(&other), happen(400..600));
        // Each ends when it finds nothing, and what the other had under way holds later ones back.
        deliver(&test.app).await;

        let delivered = |app: &App| -> u64 {
            let text = app.metrics.render(0.0);
            let line = r#"adjoin_delivery_attempts_total{outcome="delivered"} "#;
            text.lines().find_map(|it| it.strip_prefix(line)).map_or(0, |count| count.parse().unwrap())
        };
        let shares = [delivered(&test.app), delivered(&other)];
        assert!(shares[0] > 0 && shares[1] > 0 && shares[0] + shares[1] == 600, "{shares:?}");
        let got = world.receiver.take();
        assert_eq!((got.len(), got.iter().collect::<HashSet<_>>().len()), (600, 600));
        for subject in 0..100 {
            let of_subject: Vec<i64> = got.iter().copied().filter(|n| n % 100 == subject).collect();
            assert!(of_subject.is_sorted(), "{of_subject:?}");
        }
        drop(other);
        db.close().await;
    });
}

#[test]
fn forward_writes_lines_and_goes_on_from_where_it_was() {
    on_each_app(async |test| {
        let (backend, account) = (Backend::new(test, None).await, account(test, "Acme").await);
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("leads.jsonl");
        let forward = async |arguments: &[&str]| {
            let mut command = adjoin(&["forward", "--once", "--to"]);
            command
                .arg(&to)
                .args(arguments)
                .args(["--url", &test.origin])
                .env("ADJOIN_API_KEY", &backend.key);
            behind_a_proxy(&mut command);
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            let lines = std::fs::read_to_string(&to).unwrap();
            let numbers: Vec<i64> = lines
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_i64().unwrap())
                .collect();
            (output.status.code().unwrap(), numbers)
        };
        let id = lead(test, &account, "700").await;
        record(&test.app, &account, Kind::AdAlert, "a", 1).await;
        assert_eq!(forward(&[]).await, (0, vec![1]));
        assert_eq!(forward(&[]).await, (0, vec![1]));
        let line: Value = serde_json::from_str(std::fs::read_to_string(&to).unwrap().trim()).unwrap();
        assert_eq!(line["data"]["lead_id"], json!(id));
        for n in 0..120 {
            record(&test.app, &account, Kind::LeadUpdated, "a", n).await;
        }
        assert_eq!(forward(&[]).await, (0, [1].into_iter().chain(3..=122).collect()));
        assert_eq!(std::fs::read_to_string(folder.path().join("leads.jsonl.seq")).unwrap(), "122\n");
        let (code, numbers) = forward(&["--types", "ad.alert", "--after", "0"]).await;
        assert_eq!((code, numbers.last()), (0, Some(&2)));
        assert_eq!(forward(&["--types", "leads"]).await.0, 2);
        let nobody = AccountId::new();
        assert_eq!(forward(&["--account", nobody.as_str()]).await.0, 0);
    });
}
