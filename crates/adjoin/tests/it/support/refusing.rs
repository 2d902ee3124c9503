use std::sync::{Arc, Mutex};

use adjoin::{
    config::Options,
    service::App,
    vault::{KeyFile, Vault},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Connected, Hold};

/// The sandbox behind somebody who refuses what a test names: what Meta may do and the sandbox, being faithful, does not.
#[derive(Debug)]
pub struct Refusing {
    /// Another process of the service, on the same database, that calls Meta this way.
    pub app: App,
    rules: Rules,
    holds: Holds,
    server: JoinHandle<()>,
}

/// Answers to requests whose path holds the text are held back, though the sandbox has given them.
type Holds = Arc<Mutex<Vec<(String, Hold)>>>;

/// Requests whose path, query or body holds the text are refused with the code, so many times.
type Rules = Arc<Mutex<Vec<(String, i64, usize)>>>;

#[derive(Clone)]
struct Way {
    target: String,
    http: reqwest::Client,
    rules: Rules,
    holds: Holds,
}

impl Refusing {
    pub async fn before(it: &Connected) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (rules, holds) = (Rules::default(), Holds::default());
        let way = Way {
            target: it.facts.graph_url.clone(),
            http: reqwest::Client::new(),
            rules: Arc::clone(&rules),
            holds: Arc::clone(&holds),
        };
        let router = Router::new().fallback(pass_on).with_state(way);
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        let domain = it.test.origin.trim_start_matches("http://").to_owned();
        Self { app: process(it, &url, Some(domain)), rules, holds, server }
    }

    pub fn refuse(&self, text: &str, code: i64) {
        self.refuse_times(text, code, usize::MAX);
    }

    pub fn refuse_times(&self, text: &str, code: i64, times: usize) {
        self.rules.lock().unwrap().push((text.to_owned(), code, times));
    }

    pub fn hold(&self, text: &str) -> Hold {
        let hold = Hold::default();
        self.holds.lock().unwrap().push((text.to_owned(), hold.clone()));
        hold
    }

    /// How many of the refusals of `refuse_times` are left.
    pub fn left(&self) -> usize {
        self.rules.lock().unwrap().iter().map(|rule| rule.2).filter(|times| *times < usize::MAX).sum()
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Another process of the service on the same database, with another way to Meta.
pub fn process(it: &Connected, graph_url: &str, service_domain: Option<String>) -> App {
    let options = Options {
        database_url: Some(it.test.app.config.database_url.clone()),
        master_key_file: Some(it.test.key_file()),
        graph_url: Some(graph_url.parse().unwrap()),
        dialog_url: Some(it.facts.dialog_url.parse().unwrap()),
        service_domain,
        ..Options::default()
    };
    let db = it.test.app.db.clone();
    let vault = Vault::new(db.clone(), KeyFile::read(&it.test.key_file()).unwrap());
    App::new(options.resolve(None).unwrap(), db, vault, it.test.clock.clone())
}

async fn pass_on(
    State(way): State<Way>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    let whole = format!("{path} {}", String::from_utf8_lossy(&body)).replace("%2C", ",");
    let refused = way.rules.lock().unwrap().iter_mut().find_map(|(text, code, times)| {
        (*times > 0 && whole.contains(text.as_str())).then(|| {
            *times -= usize::from(*times < usize::MAX);
            *code
        })
    });
    if let Some(code) = refused {
        let message = format!("(#{code}) Tried accessing nonexisting field");
        let error = json!({ "error": { "message": message, "type": "OAuthException", "code": code } });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    let mut request = way.http.request(method, format!("{}{path}", way.target)).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let (status, bytes) = (answer.status(), answer.bytes().await.unwrap());
    let hold = way.holds.lock().unwrap().iter().find(|it| path.contains(&it.0)).map(|it| it.1.clone());
    if let Some(hold) = hold {
        hold.pass().await;
    }
    (status, bytes).into_response()
}
