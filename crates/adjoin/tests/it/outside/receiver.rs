//! A partner's endpoint: it checks the signature, fails a third of the time, and remembers what it took.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use http::StatusCode;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

/// What arrived, and a count that moves with every request.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Taken>>,
    pub requests: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Taken {
    /// The endpoint's secret, once it is made.
    secret: Option<String>,
    /// Ids of events that were answered 200.
    events: BTreeSet<String>,
    /// Meta's lead ids, each with the events that brought it.
    leads: BTreeMap<String, BTreeSet<String>>,
    /// Requests whose signature did not hold.
    unsigned: u64,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, taken: Arc::default(), requests: watch::Sender::new(0) };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn trust(&self, secret: &str) {
        self.taken.lock().unwrap().secret = Some(secret.to_owned());
    }

    /// How many leads came, each once for a receiver that dedupes by event id.
    pub fn leads(&self) -> usize {
        self.taken.lock().unwrap().leads.len()
    }

    /// Leads that more than one event brought.
    pub fn doubled(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.leads.iter().filter(|(_, events)| events.len() > 1).map(|(lead, _)| lead.clone()).collect()
    }

    pub fn has(&self, meta_lead_id: &str) -> bool {
        self.taken.lock().unwrap().leads.contains_key(meta_lead_id)
    }

    pub fn unsigned(&self) -> u64 {
        self.taken.lock().unwrap().unsigned
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let nth = {
        let mut count = 0;
        receiver.requests.send_modify(|requests| {
            *requests += 1;
            count = *requests;
        });
        count
    };
    let mut taken = receiver.taken.lock().unwrap();
    let believed = taken.secret.as_deref().is_some_and(|secret| {
        standardwebhooks::Webhook::new(secret).is_ok_and(|it| it.verify(&body, &headers).is_ok())
    });
    if !believed {
        taken.unsigned += 1;
        return StatusCode::UNAUTHORIZED;
    }
    // A third fails: half of those before anything was kept, half after, as when an answer is lost on the way.
    if nth.is_multiple_of(6) {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let event: Value = serde_json::from_slice(&body).unwrap();
    let id = event["id"].as_str().unwrap().to_owned();
    if event["type"] == "lead.created" {
        let lead = event["data"]["meta_lead_id"].as_str().unwrap().to_owned();
        taken.leads.entry(lead).or_default().insert(id.clone());
    }
    taken.events.insert(id);
    if nth % 6 == 3 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}
