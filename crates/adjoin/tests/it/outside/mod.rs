//! The program as it stands in the world: a process behind an address that stays, a sandbox, a partner's endpoint.

mod dice;
mod front;
mod receiver;

use std::path::Path;

use adjoin::{
    audit::Actor,
    cli::demo::browser::Browser,
    config::Options,
    service::{App, api_keys},
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
};
use adjoin_sandbox::{Facts, FillLeads, Sandbox, SharedWorld};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    process::{Server, adjoin, run},
    support::Database,
};
pub use dice::Dice;
use front::Front;
pub use receiver::{AccountLead, Receiver};

/// A service that can be killed and started again, and what is around it.
pub struct Outside {
    pub http: reqwest::Client,
    pub facts: Facts,
    /// Meta, as the sandbox has it.
    pub meta: SharedWorld,
    front: Front,
    /// The arguments that start the service.
    pub arguments: Vec<String>,
    service: Option<Server>,
    /// How many seconds the clocks of the service and of Meta are ahead.
    ahead: i64,
    /// Where the world reaches the service.
    pub origin: String,
    key: String,
}

impl Outside {
    /// A running service that is not set up, beside a sandbox with so many more Pages of so many forms.
    pub async fn start(database: &Database, scenarios: &[&str], pages: usize, forms: usize) -> Self {
        let front = Front::start().await;
        let origin = format!("http://{}", front.address);
        let options = adjoin_sandbox::Options {
            redirect_uris: vec![format!("{origin}/connector/callback")],
            fill_leads: FillLeads { leads: 0, pages, forms },
            scenarios: scenarios.iter().map(|&it| it.to_owned()).collect(),
            ..adjoin_sandbox::Options::default()
        };
        let sandbox = Sandbox::new(options, TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
        let (facts, meta) = (sandbox.facts().clone(), sandbox.world());
        tokio::spawn(async move { sandbox.run(std::future::pending()).await });
        let key_file = database.folder().join("master.key");
        let key_path = key_file.to_str().unwrap();
        assert!(run(&["key", "generate", key_path]).status.success());
        let domain = front.address.to_string();
        let arguments = [
            ["--listen", "127.0.0.1:0"],
            ["--master-key-file", key_path],
            ["--database-url", database.url()],
            ["--service-domain", &domain],
            ["--graph-url", &facts.graph_url],
            ["--dialog-url", &facts.dialog_url],
            ["--delivery-allow", "127.0.0.0/8"],
        ];
        let arguments =
            ["serve"].into_iter().chain(arguments.into_iter().flatten()).map(str::to_owned).collect();
        let key = api_key(database, &key_file).await;
        let http = reqwest::Client::new();
        let mut outside = Self { http, facts, meta, front, arguments, service: None, ahead: 0, origin, key };
        outside.start_service().await;
        outside
    }

    /// Starts the service as a process and puts it behind the front.
    pub async fn start_service(&mut self) {
        let mut command = adjoin(&self.arguments.iter().map(String::as_str).collect::<Vec<_>>());
        command.arg(format!("--clock-ahead={}", self.ahead));
        self.start_command(command).await;
    }

    /// The same, however it is started.
    pub async fn start_command(&mut self, command: std::process::Command) {
        let server = tokio::task::spawn_blocking(move || Server::start(command)).await.unwrap();
        self.front.put_behind(Some(server.text("listen").parse().unwrap()));
        self.service = Some(server);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.front.put_behind(None);
        self.service = None;
    }

    /// SIGKILL, and the service comes back so many seconds later by its clock and by Meta's.
    pub async fn kill_and_come_back(&mut self, seconds: i64) {
        self.kill();
        self.ahead += seconds;
        self.start_service().await;
        // Only now: what Meta sends again meanwhile would always meet a service that is away.
        self.meta.write().unwrap().clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    /// Sets the connector up.
    pub async fn set_up(&mut self) {
        let setup = json!({ "client_id": self.facts.app_id, "client_secret": self.facts.app_secret,
                            "login": { "kind": "facebook" }, "use_cases": ["ads", "leads"] });
        self.api(Method::PUT, "/v1/setup", Some(setup)).await;
        let settings = json!({ "links_allowed": true });
        self.api(Method::PATCH, "/v1/settings", Some(settings)).await;
    }

    /// Makes an account; answers its id.
    pub async fn account(&self, name: &str) -> String {
        let account = self.api(Method::POST, "/v1/accounts", Some(json!({ "name": name }))).await;
        account["id"].as_str().unwrap().to_owned()
    }

    /// Has leads of all accounts delivered to this endpoint.
    pub async fn deliver_to(&self, receiver: &Receiver) {
        let endpoint = json!({ "url": receiver.url, "types": ["lead.created"] });
        let endpoint = self.api(Method::POST, "/v1/endpoints", Some(endpoint)).await;
        receiver.trust(endpoint["secret"].as_str().unwrap());
    }

    pub async fn switch(&self, scenario: &str, value: Option<&str>) {
        let url = format!("{}/scenarios/{scenario}", self.facts.admin_url);
        let request = match value {
            Some(value) => self.http.put(url).json(&json!({ "value": value })),
            None => self.http.delete(url),
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{scenario}: {}", answer.text().await.unwrap());
    }

    /// So many people fill in a form. Answers Meta's ids.
    pub async fn submit(&self, form: &str, count: u64) -> Vec<String> {
        let url = format!("{}/forms/{form}/leads", self.facts.admin_url);
        let answer = self.http.post(url).json(&json!({ "count": count })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// The completeness report over all forms of an account.
    pub async fn totals(&self, account: &str) -> Value {
        self.api(Method::GET, &format!("/v1/accounts/{account}/forms?limit=1"), None).await["totals"].take()
    }

    /// Waits until the webhooks of every Page of the account are subscribed to.
    pub async fn subscribed(&self, account: &str) {
        let path = format!("/v1/accounts/{account}/subscriptions?limit=100");
        loop {
            let rows = self.api(Method::GET, &path, None).await;
            let mut pages =
                rows["data"].as_array().unwrap().iter().filter(|row| row["object"] == "page").peekable();
            if pages.peek().is_some() && pages.all(|row| row["state"] == "active") {
                return;
            }
            self.a_second().await;
        }
    }

    /// The service makes us wait: nothing of this type ever comes.
    pub async fn a_second(&self) {
        self.api(Method::GET, "/v1/events?after=0&wait=1&types=endpoint.test", None).await;
    }

    /// This person consents to everything for the account. Where Meta fails on the way, as people do, they try again.
    pub async fn consent(&self, account: &str, person: &str) {
        {
            let identity = &mut self.meta.write().unwrap().identity;
            let found = identity.people.values().find(|it| it.name.starts_with(person)).unwrap().id.clone();
            identity.signed_in = Some(found);
        }
        let path = format!("/v1/accounts/{account}/connect-sessions");
        let mut last = String::new();
        for _ in 0..10 {
            let session = self.api(Method::POST, &path, Some(json!({ "kind": "link" }))).await;
            let mut browser = Browser::new().unwrap();
            let page = browser.get(session["url"].as_str().unwrap()).await.unwrap();
            let dialog = browser.submit(&page, &page.form("/connect/").unwrap(), None).await.unwrap();
            let confirm =
                browser.submit(&dialog, &dialog.form("/dialog").unwrap(), Some("continue")).await.unwrap();
            let end = browser.submit(&confirm, &confirm.form("/connect/").unwrap(), None).await.unwrap();
            if end.html.contains("is connected") {
                return;
            }
            last = end.html;
        }
        panic!("{person} cannot connect: {last}");
    }

    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, format!("{}{path}", self.origin)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let answer = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }
}

/// A key of the partner, made before the service starts.
async fn api_key(database: &Database, key_file: &Path) -> String {
    let config =
        Options { master_key_file: Some(key_file.to_owned()), ..Options::default() }.resolve(None).unwrap();
    let db = Db::open(database.url()).await.unwrap();
    let vault = Vault::new(db.clone(), KeyFile::read(key_file).unwrap());
    let app = App::new(config, db.clone(), vault, Clock::System);
    let (_, key) = api_keys::create(&app, &Actor::System, "outside", None).await.unwrap();
    db.close().await;
    key.expose_secret().to_owned()
}
