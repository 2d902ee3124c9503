//! `adjoin demo`: the whole job in one process, against the sandbox, over HTTP as everybody else would do it.

pub mod browser;
mod leads;
mod receiver;
mod steps;

use std::{path::PathBuf, pin::pin};

use adjoin_sandbox::Sandbox;
use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Outcome, serve::shutdown_signal};
use crate::{
    audit::Actor,
    config::Options,
    random,
    service::{App, api_keys, operators, work},
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
    web,
};
use browser::Browser;
use leads::Scene;
use receiver::Receiver;
use steps::{Steps, shown};

#[derive(Debug, Args)]
pub struct Demo {
    /// End after the steps instead of staying up
    #[arg(long)]
    once: bool,
    /// One JSON line a step on stdout
    #[arg(long)]
    json: bool,
    /// Address and port of the service; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: std::net::SocketAddr,
}

const OPERATOR_EMAIL: &str = "demo@example.com";

impl Demo {
    pub async fn run(self) -> anyhow::Result<Outcome> {
        if std::env::var_os("ADJOIN_LOG").is_some() {
            super::init_logs(false);
        }
        let mut end = pin!(shutdown_signal());
        let folder = Folder::new()?;
        let mut steps = Steps::new(self.json);
        if !self.json {
            eprintln!("\n  Adjoin, the whole job on this machine: no network, no Meta account.\n");
        }
        let walked = tokio::select! {
            walked = walk(&self, &folder, &mut steps) => walked,
            () = &mut end => Err(anyhow!("interrupted")),
        };
        match walked {
            Ok(stage) if self.once => {
                stage.stop().await;
                Ok(Outcome::Good)
            }
            Ok(stage) => {
                stage.tell(self.json);
                end.await;
                stage.stop().await;
                Ok(Outcome::Good)
            }
            Err(error) => {
                eprintln!("adjoin: {error:#}");
                Ok(Outcome::No)
            }
        }
    }
}

/// The demo's database and key: a folder of its own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let name = format!("adjoin-demo-{}", u32::from_be_bytes(random::bytes::<4>()));
        let path = std::env::temp_dir().join(name);
        let mut folder = std::fs::DirBuilder::new();
        // A key is in it.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A database that is being opened may put a file into it meanwhile.
        for _ in 0..50 {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                _ => return,
            }
        }
    }
}

/// Everything that runs, and what one needs to look around.
struct Stage {
    console_url: String,
    sandbox_url: String,
    password: SecretString,
    api_key: SecretString,
    app: App,
    stop: tokio::sync::watch::Sender<bool>,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

impl Stage {
    fn tell(&self, json: bool) {
        if json {
            println!(
                "{}",
                json!({ "console_url": self.console_url, "email": OPERATOR_EMAIL,
                        "password": self.password.expose_secret(), "sandbox_url": self.sandbox_url,
                        "api_key": self.api_key.expose_secret() })
            );
        }
        eprintln!("\n  Console   {}", self.console_url);
        eprintln!("  Sign in   {OPERATOR_EMAIL}   password   {}", self.password.expose_secret());
        eprintln!("  Sandbox   {}", self.sandbox_url);
        eprintln!("  API key   {}", self.api_key.expose_secret());
        eprintln!("\n  Ctrl-C ends it and leaves nothing behind.\n");
    }

    async fn stop(self) {
        let _ = self.stop.send(true);
        for server in self.servers {
            let _ = server.await;
        }
        self.app.db.close().await;
    }
}

/// The steps, in order; each takes what the ones before made.
async fn walk(demo: &Demo, folder: &Folder, steps: &mut Steps) -> anyhow::Result<Stage> {
    let listener =
        TcpListener::bind(demo.listen).await.with_context(|| format!("cannot listen on {}", demo.listen))?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut servers = Vec::new();

    let sandbox = steps
        .run("sandbox", "A local Graph and login dialog start", async {
            let options = adjoin_sandbox::Options {
                redirect_uris: vec![format!("http://{address}/connector/callback")],
                ..adjoin_sandbox::Options::default()
            };
            let sandbox = Sandbox::new(options, TcpListener::bind("127.0.0.1:0").await?)?;
            let detail =
                format!("{}  with an app, people, a business and its assets", sandbox.facts().graph_url);
            Ok(shown(sandbox, detail))
        })
        .await?;
    let facts = sandbox.facts().clone();
    servers.push(tokio::spawn(until(stopped.clone(), move |end| async move {
        let _ = sandbox.run(end).await;
    })));

    let (receiver, server) = Receiver::start(ended(stopped.clone())).await?;
    servers.push(server);
    let (app, password) = steps
        .run("service", "The service starts on an embedded SQLite file", async {
            let config = Options {
                database_url: Some(format!("sqlite://{}", folder.0.join("adjoin.db").display())),
                listen: Some(address),
                master_key_file: Some(folder.0.join("master.key")),
                graph_url: Some(facts.graph_url.parse()?),
                dialog_url: Some(facts.dialog_url.parse()?),
                // The partner's endpoint is on this machine, where a service does not deliver by itself; who looks around may
                // add one of their own.
                delivery_allow: vec!["127.0.0.0/8".parse()?],
                ..Options::default()
            }
            .resolve(None)?;
            let key_file = KeyFile::generate(&folder.0.join("master.key"))?;
            let db = Db::open(&config.database_url).await?;
            let app = App::new(config, db.clone(), Vault::new(db, key_file), Clock::System);
            let password = random::token("");
            let invite =
                operators::first_start_invite(&app).await?.context("the demo's database is not new")?;
            let operator = operators::NewOperator {
                name: "Demo operator".to_owned(),
                email: OPERATOR_EMAIL.to_owned(),
                password: password.clone(),
            };
            operators::accept_invite(&app, invite.expose_secret(), operator).await?;
            Ok(shown((app, password), format!("http://{address}/  with its operator and a fresh master key")))
        })
        .await?;
    let service = app.clone();
    servers.push(tokio::spawn(until(stopped.clone(), move |end| async move {
        web::run(service, listener, end).await;
    })));
    servers.push(tokio::spawn(until(stopped, {
        let app = app.clone();
        move |end| work::run(app, end)
    })));

    let (_, key) = api_keys::create(&app, &Actor::System, "Demo", None).await?;
    // No proxy knows a service of this machine.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let backend = Backend { http, base: format!("http://{address}"), key };

    steps
        .run("settings", "Settings > General: the Service Domain", async {
            // The account below connects by a link, which the partner has to allow.
            let change = json!({ "partner_name": "Demo Software", "service_domain": address.to_string(),
                                 "links_allowed": true });
            let settings = backend.ok(Method::PATCH, "/v1/settings", Some(change)).await?;
            Ok(shown((), format!("redirect URI to register at Meta: {}", text(&settings, "redirect_uri"))))
        })
        .await?;
    steps
        .run("setup", "Connector Library > Facebook Marketing API > Setup", async {
            let setup = json!({ "client_id": facts.app_id, "client_secret": facts.app_secret,
                                "login": { "kind": "facebook" }, "use_cases": ["ads", "leads"] });
            let setup = backend.ok(Method::PUT, "/v1/setup", Some(setup)).await?;
            Ok(shown((), format!("Client ID and Secret checked: the app is {:?}", text(&setup, "app_name"))))
        })
        .await?;
    let account = steps
        .run("account", "A customer of the partner becomes an account", async {
            let new = json!({ "name": "Acme Bikes", "external_id": "customer-42" });
            let account = backend.ok(Method::POST, "/v1/accounts", Some(new)).await?;
            let id = text(&account, "id").to_owned();
            Ok(shown(id.clone(), format!("Acme Bikes, {id}")))
        })
        .await?;
    let link = steps
        .run("install", "The connector is installed in the account", async {
            let path = format!("/v1/accounts/{account}/connect-sessions");
            let session = backend.ok(Method::POST, &path, Some(json!({ "kind": "link" }))).await?;
            Ok(shown(text(&session, "url").to_owned(), "its connect link works once, for 15 minutes"))
        })
        .await?;
    let connection = steps
        .run("consent", "The account's user consents, as a browser would", async {
            consent(&link).await?;
            let path = format!("/v1/accounts/{account}/connections");
            let connections = backend.ok(Method::GET, &path, None).await?;
            let connection = connections["data"][0].clone();
            let state = text(&connection, "state");
            ensure!(state == "connected", "the connection is {state:?}: {connection}");
            let permissions = connection["granted"].as_array().map_or(0, Vec::len);
            let detail =
                format!("{}, {permissions} permissions granted", text(&connection["subject"], "name"));
            Ok(shown(text(&connection, "id").to_owned(), detail))
        })
        .await?;
    steps
        .run("test", "The connection is tested", async {
            let path = format!("/v1/accounts/{account}/connections/{connection}/test");
            let report = backend.ok(Method::POST, &path, None).await?;
            let checks = report["checks"].as_array().cloned().unwrap_or_default();
            ensure!(
                !checks.is_empty() && checks.iter().all(|check| check["outcome"] == "passed"),
                "{report}"
            );
            let names = checks.iter().map(|check| text(check, "name")).collect::<Vec<_>>();
            Ok(shown((), format!("holds: {}", names.join(", "))))
        })
        .await?;

    let methods = format!("/v1/accounts/{account}/connections/{connection}/methods");
    let campaign = steps
        .run("campaign.create", "A campaign is created", async {
            let arguments = json!({ "ad_account_id": facts.ad_account_id, "name": "Spring leads",
                                    "objective": "OUTCOME_LEADS", "special_ad_categories": [],
                                    "is_adset_budget_sharing_enabled": false });
            let created =
                backend.ok(Method::POST, &format!("{methods}/campaign.create"), Some(arguments)).await?;
            let id = text(&created["data"], "id").to_owned();
            Ok(shown(id.clone(), format!("OUTCOME_LEADS, paused, {id}")))
        })
        .await?;
    let right = json!({ "page_id": facts.page_id });
    let ad_set = steps
        .run("ad_set.create", "A paused ad set with the right promoted object", async {
            let arguments = new_ad_set(&facts.ad_account_id, &campaign, "ON_AD", "LEAD_GENERATION", &right);
            let created =
                backend.ok(Method::POST, &format!("{methods}/ad_set.create"), Some(arguments)).await?;
            let id = text(&created["data"], "id").to_owned();
            Ok(shown(id.clone(), format!("LEAD_GENERATION on ad, promoted object {right}, {id}")))
        })
        .await?;
    steps
        .run("ad_set.refused", "A wrong ad set is refused before Meta is asked", async {
            let wrong = json!({ "pixel_id": facts.pixel_id, "custom_event_type": "PURCHASE" });
            let arguments =
                new_ad_set(&facts.ad_account_id, &campaign, "WEBSITE", "OFFSITE_CONVERSIONS", &wrong);
            let path = format!("{methods}/ad_set.create");
            let (status, problem) = backend.call(Method::POST, &path, Some(arguments)).await?;
            ensure!(status == StatusCode::UNPROCESSABLE_ENTITY, "it was not refused: {status} {problem}");
            Ok(shown((), in_words(&problem)))
        })
        .await?;
    steps
        .run("read", "Both are read back", async {
            let read = |method: &str, arguments: Value| {
                let path = format!("{methods}/{method}");
                let backend = &backend;
                async move {
                    backend.ok(Method::POST, &path, Some(arguments)).await.map(|got| got["data"].clone())
                }
            };
            let campaign = read("campaign.get", json!({ "campaign_id": campaign })).await?;
            let ad_set = read("ad_set.get", json!({ "ad_set_id": ad_set })).await?;
            ensure!(
                ad_set["promoted_object"]["page_id"] == right["page_id"],
                "another promoted object: {ad_set}"
            );
            ensure!(ad_set["status"] == "PAUSED", "the ad set is not paused: {ad_set}");
            let shows = |what: &Value| format!("{:?} {}", text(what, "name"), text(what, "effective_status"));
            Ok(shown((), format!("campaign {}, ad set {}", shows(&campaign), shows(&ad_set))))
        })
        .await?;

    let mut scene =
        Scene { backend: &backend, facts: &facts, account: &account, methods: &methods, receiver };
    leads::walk(&mut scene, steps).await?;

    Ok(Stage {
        console_url: format!("http://{address}/"),
        sandbox_url: facts.admin_url,
        password,
        api_key: backend.key,
        app,
        stop,
        servers,
    })
}

/// An ad set of the demo: what differs is where it leads and what it promotes.
fn new_ad_set(
    ad_account: &str,
    campaign: &str,
    destination: &str,
    goal: &str,
    promoted_object: &Value,
) -> Value {
    json!({
        "ad_account_id": ad_account,
        "campaign_id": campaign,
        "name": "United States, all ages",
        "optimization_goal": goal,
        "destination_type": destination,
        "billing_event": "IMPRESSIONS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "daily_budget": 2000,
        "promoted_object": promoted_object,
        "targeting": { "geo_locations": { "countries": ["US"] }, "targeting_automation": { "advantage_audience": 1 } },
    })
}

/// Walks the consent: connect page, Facebook's dialog, the confirmation that names partner and account.
async fn consent(link: &str) -> anyhow::Result<()> {
    let mut browser = Browser::new()?;
    let page = browser.get(link).await?;
    let start = page.form("/connect/")?;
    let dialog = browser.submit(&page, &start, None).await?;
    let form = dialog.form("/dialog")?;
    let confirm = browser.submit(&dialog, &form, Some("continue")).await?;
    let press = confirm.form("/connect/")?;
    let done = browser.submit(&confirm, &press, None).await?;
    if !done.status.is_success() {
        bail!("the confirmation answered {}", done.status);
    }
    Ok(())
}

/// Runs a server until the demo stops it.
async fn until<F: Future<Output = ()>>(
    stopped: tokio::sync::watch::Receiver<bool>,
    serve: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
) {
    serve(Box::pin(ended(stopped))).await;
}

/// When the demo stops.
async fn ended(mut stopped: tokio::sync::watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A partner's backend: the JSON API with a key.
struct Backend {
    http: reqwest::Client,
    base: String,
    key: SecretString,
}

impl Backend {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).bearer_auth(self.key.expose_secret());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// A call that has to succeed; a problem becomes an error in its own words.
    async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let (status, answer) = self.call(method, path, body).await?;
        ensure!(status.is_success(), "{path} answered {status}: {}", in_words(&answer));
        Ok(answer)
    }
}

/// A problem's detail, faults and next step on lines of their own.
fn in_words(problem: &Value) -> String {
    let mut lines = vec![text(problem, "detail").to_owned()];
    for finding in problem["findings"].as_array().into_iter().chain(problem["faults"].as_array()).flatten() {
        lines.push(format!("- {}", text(finding, "message")));
        lines.push(format!("  {}", text(finding, "fix")));
    }
    lines.push(format!("next: {}", text(problem, "next_step")));
    lines.join("\n")
}
