//! The program as it stands in the world: a process behind an address that stays, and a sandbox.

mod front;

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
use adjoin_sandbox::{Facts, FillLeads, Sandbox};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    process::{Server, adjoin, run},
    support::Database,
};
use front::Front;

/// A service that can be killed and started again, and what is around it.
pub struct Outside {
    pub http: reqwest::Client,
    pub facts: Facts,
    front: Front,
    /// The arguments that start the service.
    pub arguments: Vec<String>,
    service: Option<Server>,
    /// Where the world reaches the service.
    pub origin: String,
    key: String,
    pub account: String,
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
        let facts = sandbox.facts().clone();
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
        let mut outside =
            Self { http, facts, front, arguments, service: None, origin, key, account: String::new() };
        outside.start_service().await;
        outside
    }

    /// Starts the service as a process and puts it behind the front.
    pub async fn start_service(&mut self) {
        let arguments = self.arguments.clone();
        let command = adjoin(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
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

    /// Sets the connector up and makes an account.
    pub async fn set_up(&mut self) {
        let setup = json!({ "client_id": self.facts.app_id, "client_secret": self.facts.app_secret,
                            "login": { "kind": "facebook" }, "use_cases": ["ads", "leads"] });
        self.api(Method::PUT, "/v1/setup", Some(setup)).await;
        let settings = json!({ "links_allowed": true });
        self.api(Method::PATCH, "/v1/settings", Some(settings)).await;
        let account = self.api(Method::POST, "/v1/accounts", Some(json!({ "name": "Acme" }))).await;
        account["id"].as_str().unwrap().clone_into(&mut self.account);
    }

    /// Ids of the forms of the connected Pages.
    pub async fn forms(&self) -> Vec<String> {
        let forms = self.all_forms().await;
        let ids = forms["data"].as_array().unwrap().iter();
        ids.map(|form| form["form_id"].as_str().unwrap().to_owned()).collect()
    }

    async fn all_forms(&self) -> Value {
        self.api(Method::GET, &format!("/v1/accounts/{}/forms?limit=100", self.account), None).await
    }

    /// Waits until the webhooks of every Page are subscribed to and its forms are known.
    pub async fn subscribed(&self) {
        let path = format!("/v1/accounts/{}/subscriptions?limit=100", self.account);
        loop {
            let rows = self.api(Method::GET, &path, None).await;
            let mut pages =
                rows["data"].as_array().unwrap().iter().filter(|row| row["object"] == "page").peekable();
            let all = pages.peek().is_some() && pages.all(|row| row["state"] == "active");
            if all && !self.forms().await.is_empty() {
                return;
            }
            // Nothing of this type ever comes: the service waits for a second.
            self.api(Method::GET, "/v1/events?after=0&wait=1&types=endpoint.test", None).await;
        }
    }

    /// Somebody of the account consents to everything.
    pub async fn consent(&self) {
        let path = format!("/v1/accounts/{}/connect-sessions", self.account);
        let session = self.api(Method::POST, &path, Some(json!({ "kind": "link" }))).await;
        let mut browser = Browser::new().unwrap();
        let page = browser.get(session["url"].as_str().unwrap()).await.unwrap();
        let dialog = browser.submit(&page, &page.form("/connect/").unwrap(), None).await.unwrap();
        let confirm =
            browser.submit(&dialog, &dialog.form("/dialog").unwrap(), Some("continue")).await.unwrap();
        browser.submit(&confirm, &confirm.form("/connect/").unwrap(), None).await.unwrap();
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
