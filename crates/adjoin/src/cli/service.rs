//! A running service, as the command line calls it.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use console::Style;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Host, Url};

use super::Outcome;

/// Longer than the service itself takes at most.
const TIMEOUT: Duration = Duration::from_secs(150);

/// What is wrong with the command line itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// Says what is wrong with the command line, if that is what went wrong.
pub fn told(outcome: anyhow::Result<Outcome>) -> anyhow::Result<Outcome> {
    match outcome {
        Err(error) if error.is::<Unusable>() => {
            eprintln!("adjoin: {error}");
            Ok(Outcome::Unusable)
        }
        outcome => outcome,
    }
}

pub struct Service {
    http: reqwest::Client,
    url: Url,
    key: SecretString,
}

impl Service {
    /// The key comes from `ADJOIN_API_KEY`, or from the file.
    pub fn new(url: Url, key_file: Option<&Path>) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
        // No proxy knows a service of this machine.
        let builder = if is_here(&url) { builder.no_proxy() } else { builder };
        let http = builder.build().context("the HTTP client cannot be set up")?;
        Ok(Self { http, url, key: api_key(key_file)? })
    }

    pub fn request(
        &self,
        method: reqwest::Method,
        path: &[String],
    ) -> anyhow::Result<reqwest::RequestBuilder> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| Unusable("--url must be an http or https URL".to_owned()))?
            .pop_if_empty()
            .push("v1")
            .extend(path);
        Ok(self.http.request(method, url).bearer_auth(self.key.expose_secret()))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
        let response = request.send().await.with_context(|| format!("no answer from {}", self.url))?;
        let status = response.status();
        let answer = response
            .json()
            .await
            .with_context(|| format!("{} does not speak our API ({status})", self.url))?;
        Ok((status, answer))
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

fn api_key(file: Option<&Path>) -> anyhow::Result<SecretString> {
    if let Ok(key) = std::env::var("ADJOIN_API_KEY")
        && !key.is_empty()
    {
        return Ok(key.into());
    }
    let Some(path) = file else {
        bail!(Unusable("no API key: set ADJOIN_API_KEY, or name a file with --api-key-file".to_owned()));
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned().into())
}

/// The answer on stdout; what a problem says to people on stderr.
pub fn tell(status: StatusCode, answer: &Value) -> anyhow::Result<Outcome> {
    println!("{}", serde_json::to_string(answer)?);
    if status.is_success() {
        for finding in answer["findings"].as_array().into_iter().flatten() {
            eprintln!("{}: {}", text(finding, "severity"), text(finding, "message"));
        }
        return Ok(Outcome::Good);
    }
    Ok(explain(status, answer))
}

/// What a problem says, to people on stderr; and how it counts.
pub fn explain(status: StatusCode, answer: &Value) -> Outcome {
    let red = Style::new().red().bold().for_stderr();
    eprintln!("{}: {}", red.apply_to(text(answer, "title")), text(answer, "detail"));
    for fault in answer["faults"].as_array().into_iter().flatten() {
        eprintln!("  {}: {} ({})", text(fault, "field"), text(fault, "message"), text(fault, "fix"));
    }
    for finding in answer["findings"].as_array().into_iter().flatten() {
        eprintln!(
            "  {}: {}\n    {}",
            text(finding, "severity"),
            text(finding, "message"),
            text(finding, "fix")
        );
    }
    eprintln!("next: {}", text(answer, "next_step"));
    match (status, text(answer, "type")) {
        (_, "/problems/invalid-input" | "/problems/malformed-json" | "/problems/too-large") => {
            Outcome::Unusable
        }
        (StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Failed,
        _ if status.is_client_error() => Outcome::No,
        _ => Outcome::Failed,
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
