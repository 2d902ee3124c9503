use std::{
    error::Error as _,
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT},
    redirect,
};
use secrecy::SecretString;

use super::{
    address::{Guard, Resolver, Way},
    claim::Claimed,
    schedule,
};
use crate::{
    service::{App, Result, events},
    store::events as events_table,
    time::Timestamp,
};

/// For one attempt, the answer's body included. Standard Webhooks: 15 to 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much of an answer is read, in bytes; what is beyond is not.
const READ_MAX: usize = 16 * 1024;
/// How much of it is kept, in bytes.
const KEPT_MAX: usize = 1024;
/// How long a delivery waits that we could not make up, in seconds.
const AFTER_FAILURE: i64 = 60;
/// A connection that nothing was sent on for so long is closed.
const IDLE: Duration = Duration::from_secs(30);
/// Most connections that are kept open to one host.
const IDLE_PER_HOST: usize = 8;

/// The way to the endpoints: an HTTP client for each kind of address.
#[derive(Debug)]
pub struct Sender {
    guard: Guard,
    public: OnceLock<Client>,
    allowed_nets: OnceLock<Client>,
    named: OnceLock<Client>,
}

impl Sender {
    pub fn new(guard: Guard) -> Self {
        Self { guard, public: OnceLock::new(), allowed_nets: OnceLock::new(), named: OnceLock::new() }
    }

    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    fn client(&self, way: Way) -> reqwest::Result<Client> {
        let cell = match way {
            Way::Public => &self.public,
            Way::AllowedNets => &self.allowed_nets,
            Way::Named => &self.named,
        };
        if let Some(client) = cell.get() {
            return Ok(client.clone());
        }
        let resolver = Resolver { guard: self.guard.clone(), way };
        let client = Client::builder()
            .timeout(TIMEOUT)
            // A redirect would lead past the check of the address; Standard Webhooks counts it as a failure.
            .redirect(redirect::Policy::none())
            // A proxy would resolve the name for us.
            .no_proxy()
            .dns_resolver(resolver)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build()?;
        Ok(cell.get_or_init(|| client).clone())
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// 2xx.
    Taken { status: u16 },
    /// It answered, and not with 2xx. `response`: the beginning of what it said, which may be what it was sent.
    Refused { status: u16, retry_after: Option<i64>, response: Option<SecretString> },
    /// No answer.
    Unanswered { reason: String, timed_out: bool },
    /// Not tried: it is due again in so many seconds.
    HandedBack { wait: i64 },
}

impl Outcome {
    /// How long the endpoint is to be left alone, in seconds, if at all.
    pub fn pause(&self) -> Option<i64> {
        match self {
            Self::Refused { status, retry_after, .. } => schedule::pause(Some(*status), *retry_after),
            Self::Unanswered { timed_out: true, .. } => schedule::pause(None, None),
            Self::Unanswered { .. } | Self::Taken { .. } | Self::HandedBack { .. } => None,
        }
    }

    /// Whether the endpoint wants nothing more, for now or for good.
    pub fn wants_quiet(&self) -> bool {
        self.pause().is_some() || matches!(self, Self::Refused { status: 410, .. })
    }
}

/// An attempt that has ended.
#[derive(Debug)]
pub struct Sent {
    pub claimed: Claimed,
    /// None when the event is no longer there, and the delivery with it.
    pub event: Option<events_table::Stored>,
    pub outcome: Outcome,
    /// When the attempt began.
    pub at: Timestamp,
    pub took: Duration,
}

/// Sends one delivery.
pub async fn send(app: App, claimed: Claimed) -> Sent {
    let (at, begun) = (app.clock.now(), Instant::now());
    let (event, outcome) = match attempt(&app, &claimed, at).await {
        Ok(Some((event, outcome))) => (Some(event), outcome),
        Ok(None) => (None, Outcome::HandedBack { wait: AFTER_FAILURE }),
        // Our own failure is none of the endpoint's, and costs no attempt.
        Err(error) => {
            let delivery = claimed.leased.id.as_str();
            tracing::error!(delivery, error = &error as &dyn std::error::Error, "a delivery was not made up");
            (None, Outcome::HandedBack { wait: AFTER_FAILURE })
        }
    };
    Sent { claimed, event, outcome, at, took: begun.elapsed() }
}

async fn attempt(
    app: &App,
    claimed: &Claimed,
    at: Timestamp,
) -> Result<Option<(events_table::Stored, Outcome)>> {
    let Some(event) = events_table::by_seq(&app.db, claimed.leased.event_seq).await? else { return Ok(None) };
    let shown = events::render(app, event.clone()).await?;
    let body = serde_json::to_vec(&shown).unwrap_or_default();
    let outcome = post(app, claimed, event.id.as_str(), body, at).await;
    Ok(Some((event, outcome)))
}

async fn post(app: &App, claimed: &Claimed, id: &str, body: Vec<u8>, at: Timestamp) -> Outcome {
    let endpoint = &claimed.endpoint;
    let way = match app.sender.guard.way(&endpoint.url) {
        Ok(way) => way,
        Err(refusal) => return unsent(format!("the address is not sent to: {refusal}")),
    };
    let client = match app.sender.client(way) {
        Ok(client) => client,
        Err(error) => return unsent(format!("the HTTP client cannot be set up: {}", chain(error))),
    };
    let request = client
        .post(endpoint.url.clone())
        .header(USER_AGENT, concat!("Adjoin/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.unix())
        .header("webhook-signature", endpoint.secrets.sign(id, at.unix(), &body, at))
        .body(body);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            let timed_out = error.is_timeout();
            let reason = if timed_out {
                format!("no answer within {} seconds", TIMEOUT.as_secs())
            } else {
                chain(error)
            };
            return Outcome::Unanswered { reason, timed_out };
        }
    };
    let status = response.status();
    if status.is_success() {
        // Its body says nothing that we need; the connection is of use again once it was read.
        read(response).await;
        return Outcome::Taken { status: status.as_u16() };
    }
    let retry_after = told(response.headers(), at);
    let said = read(response).await;
    let response = (!said.is_empty()).then(|| said.into());
    Outcome::Refused { status: status.as_u16(), retry_after, response }
}

fn unsent(reason: String) -> Outcome {
    Outcome::Unanswered { reason, timed_out: false }
}

fn told(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    schedule::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// The beginning of an answer's body. What fails here does not change what the status said.
async fn read(mut response: Response) -> String {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while seen < READ_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        seen += chunk.len();
        let room = KEPT_MAX - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}")
}

/// What went wrong, down to its cause, without the URL.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text.chars().take(500).collect()
}
