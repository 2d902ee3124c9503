//! An app's webhook endpoint, as the sandbox sees it.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    routing::get,
};
use http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::server::Server;

pub const VERIFY_TOKEN: &str = "only we know";

/// A POST that arrived.
pub struct Post {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Post {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Every change with the id of its entry.
    pub fn changes(&self) -> Vec<(String, Value)> {
        let body = self.json();
        let entries = body["entry"].as_array().unwrap().iter();
        entries
            .flat_map(|entry| {
                let id = entry["id"].as_str().unwrap().to_owned();
                entry["changes"].as_array().unwrap().iter().map(move |change| (id.clone(), change.clone()))
            })
            .collect()
    }
}

#[derive(Clone)]
struct Endpoint {
    posts: mpsc::UnboundedSender<Post>,
    challenges: mpsc::UnboundedSender<Vec<(String, String)>>,
    /// What is answered to POSTs.
    status: Arc<AtomicU16>,
}

pub struct Receiver {
    pub url: String,
    posts: mpsc::UnboundedReceiver<Post>,
    pub challenges: mpsc::UnboundedReceiver<Vec<(String, String)>>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    pub async fn start() -> Self {
        let (posts, received) = mpsc::unbounded_channel();
        let (challenges, asked) = mpsc::unbounded_channel();
        let status = Arc::new(AtomicU16::new(200));
        let endpoint = Endpoint { posts, challenges, status: Arc::clone(&status) };
        let router = Router::new().route("/hooks", get(challenge).post(post)).with_state(endpoint);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, posts: received, challenges: asked, status }
    }

    /// A receiver that is subscribed to the leads of the first Page, at both levels.
    pub async fn of_leads(server: &Server) -> Self {
        let receiver = Self::start().await;
        receiver.subscribe(server, "page", &["leadgen", "leadgen_update"]).await;
        let fields = json!({ "subscribed_fields": ["leadgen", "leadgen_update"] });
        let path = format!("{}/subscribed_apps", server.facts.page_id);
        server.as_page(Method::POST, &path, fields).await.good();
        receiver
    }

    /// Subscribes the app at the first level.
    pub async fn subscribe(&self, server: &Server, object: &str, fields: &[&str]) {
        let params = json!({
            "access_token": server.app_token(),
            "object": object,
            "callback_url": self.url,
            "fields": fields.join(","),
            "include_values": true,
            "verify_token": VERIFY_TOKEN,
        });
        let answer = server.post(&format!("{}/subscriptions", server.facts.app_id), params).await.good();
        assert_eq!(answer, json!({ "success": true }));
    }

    pub async fn next(&mut self) -> Post {
        self.posts.recv().await.unwrap()
    }

    pub fn has_none(&mut self) -> bool {
        self.posts.try_recv().is_err()
    }

    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

async fn challenge(
    State(endpoint): State<Endpoint>,
    Query(query): Query<Vec<(String, String)>>,
) -> (StatusCode, String) {
    let of = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let (token, challenge) = (of("hub.verify_token"), of("hub.challenge"));
    endpoint.challenges.send(query).unwrap();
    match token.as_str() {
        VERIFY_TOKEN => (StatusCode::OK, challenge),
        "echo something else" => (StatusCode::OK, "hello".to_owned()),
        _ => (StatusCode::FORBIDDEN, String::new()),
    }
}

async fn post(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = StatusCode::from_u16(endpoint.status.load(Ordering::SeqCst)).unwrap();
    endpoint.posts.send(Post { headers, body }).unwrap();
    status
}
