//! A partner's endpoint: it checks the signature, fails a third of the time, and remembers what it took.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use http::StatusCode;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use super::Dice;

/// An event fails so often at most: after ten failures a delivery waits for somebody to replay it.
const FAILURES_MAX: u32 = 8;

/// What arrived, and a count that moves with every request.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Taken>>,
    pub requests: watch::Sender<u64>,
}

/// A lead as one account has it: the account, and Meta's id of the lead.
pub type AccountLead = (String, String);

#[derive(Debug, Default)]
pub struct Taken {
    /// The endpoint's secret, once it is made.
    secret: Option<String>,
    dice: Dice,
    failures: BTreeMap<String, u32>,
    /// The leads, each with the ids of the events that brought it: one, for somebody who dedupes by them.
    pub leads: BTreeMap<AccountLead, BTreeSet<String>>,
    pub requests: u64,
    pub failed: u64,
    /// Requests with an event that was there already.
    pub again: u64,
    /// Requests whose signature did not hold.
    pub unsigned: u64,
}

impl Receiver {
    pub async fn start(dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Taken { dice, ..Taken::default() }));
        let receiver = Self { url, taken, requests: watch::Sender::new(0) };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn trust(&self, secret: &str) {
        self.taken().secret = Some(secret.to_owned());
    }

    pub fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap()
    }
}

impl Taken {
    /// As the published library verifies, but for the age: the service lives in the future.
    fn believes(&self, headers: &HeaderMap, body: &[u8]) -> Option<()> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let hook = standardwebhooks::Webhook::new(self.secret.as_deref()?).ok()?;
        let at = header("webhook-timestamp")?.parse().ok()?;
        let signed = hook.sign(header("webhook-id")?, at, body).ok()?;
        header("webhook-signature")?.split(' ').any(|it| it == signed).then_some(())
    }

    fn take(&mut self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        self.requests += 1;
        if self.believes(headers, body).is_none() {
            self.unsigned += 1;
            return StatusCode::UNAUTHORIZED;
        }
        let event: Value = serde_json::from_slice(body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let id = text(&event["id"]);
        // Half of the failures come before anything was kept, half after, as when an answer is lost on the way.
        let (cast, failures) = (self.dice.below(6), self.failures.entry(id.clone()).or_default());
        let fails = cast < 2 && *failures < FAILURES_MAX;
        *failures += u32::from(fails);
        self.failed += u64::from(fails);
        if !fails || cast == 1 {
            let lead = (text(&event["account_id"]), text(&event["data"]["meta_lead_id"]));
            self.again += u64::from(!self.leads.entry(lead).or_default().insert(id));
        }
        if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = receiver.taken().take(&headers, &body);
    receiver.requests.send_modify(|requests| *requests += 1);
    status
}
