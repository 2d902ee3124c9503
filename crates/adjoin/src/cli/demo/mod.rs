//! `adjoin demo`: the whole job in one process, against the sandbox, over HTTP as everybody else would do it.

mod browser;
mod steps;

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{Outcome, serve::shutdown_signal};
use crate::{
    audit::Actor,
    config::Config,
    random,
    service::{App, api_keys, operators, settings},
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
    web,
};
use browser::Browser;
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
        let folder = Folder::new()?;
        let mut steps = Steps::new(self.json);
        if !self.json {
            eprintln!("\n  Adjoin, the whole job on this machine: no network, no Meta account.\n");
        }
        match walk(&self, &folder, &mut steps).await {
            Ok(stage) if self.once => {
                stage.stop().await;
                Ok(Outcome::Good)
            }
            Ok(stage) => {
                stage.tell(self.json);
                shutdown_signal().await;
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
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
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

/// A partner's backend: the JSON API with a key.
struct Backend {
    http: reqwest::Client,
    base: String,
    key: SecretString,
}

impl Backend {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<(StatusCode, Value)> {
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
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![text(problem, "detail")];
    for finding in problem["findings"].as_array().into_iter().chain(problem["faults"].as_array()).flatten() {
        lines.push(format!("- {}", text(finding, "message")));
        lines.push(format!("  {}", text(finding, "fix")));
    }
    lines.push(format!("next: {}", text(problem, "next_step")));
    lines.join("\n")
}
