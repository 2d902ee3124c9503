//! The partner's endpoint, as small as it can be: it takes what is signed with its secret, and nothing else.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use aws_lc_rs::hmac;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

/// How far the sender's clock and ours may be apart, in seconds (Standard Webhooks).
const TOLERANCE: u64 = 300;
/// How long the demo waits for an event.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is known at the endpoint.
struct Door {
    /// Known once the endpoint is made.
    secret: OnceLock<hmac::Key>,
    events: mpsc::UnboundedSender<Value>,
}

/// An endpoint that runs, and the events it took.
pub struct Receiver {
    pub url: String,
    door: Arc<Door>,
    events: mpsc::UnboundedReceiver<Value>,
}

impl Receiver {
    /// Listens on any free port of this machine, until `end`.
    pub async fn start(
        end: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<(Self, tokio::task::JoinHandle<()>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/crm/webhooks", listener.local_addr()?);
        let (sender, events) = mpsc::unbounded_channel();
        let door = Arc::new(Door { secret: OnceLock::new(), events: sender });
        let router = Router::new().route("/crm/webhooks", post(take)).with_state(Arc::clone(&door));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).with_graceful_shutdown(end).await;
        });
        Ok((Self { url, door, events }, server))
    }

    /// The secret that deliveries are signed with: `whsec_...`.
    pub fn trust(&self, secret: &str) -> anyhow::Result<()> {
        let key =
            secret.strip_prefix("whsec_").context("the endpoint's secret is not of the form whsec_...")?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key)?);
        self.door.secret.set(key).ok().context("the endpoint has a secret already")
    }

    /// The next event of this type. Others are let go.
    pub async fn next(&mut self, kind: &str) -> anyhow::Result<Value> {
        let wanted = async {
            loop {
                let event = self.events.recv().await.context("the endpoint is gone")?;
                if event["type"] == kind {
                    return Ok(event);
                }
            }
        };
        tokio::time::timeout(PATIENCE, wanted)
            .await
            .with_context(|| format!("no {kind} came within {} seconds", PATIENCE.as_secs()))?
    }
}

async fn take(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match read(&door, &headers, &body) {
        Ok(event) => {
            let _ = door.events.send(event);
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            tracing::info!(%error, "a delivery was not believed");
            StatusCode::UNAUTHORIZED
        }
    }
}

/// The event, when its signature is right and of this moment.
fn read(door: &Door, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Value> {
    let header = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).with_context(|| format!("no {name}"))
    };
    let key = door.secret.get().context("no secret yet")?;
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    ensure!(now.abs_diff(timestamp.parse()?) <= TOLERANCE, "it is of another time");
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let is_right = header("webhook-signature")?
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(key, &signed, &tag).is_ok());
    ensure!(is_right, "the signature is wrong");
    Ok(serde_json::from_slice(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_just_now_is_believed() {
        let (events, _) = mpsc::unbounded_channel();
        let door = Door { secret: OnceLock::new(), events };
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of the endpoint");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let body = br#"{"type":"lead.created"}"#;
        let headers = |at: u64, signed: &[u8]| {
            let text = [format!("evt_1.{at}.").as_bytes(), signed].concat();
            let tag = STANDARD.encode(hmac::sign(&key, &text));
            let mut headers = HeaderMap::new();
            headers.insert("webhook-id", "evt_1".parse().unwrap());
            headers.insert("webhook-timestamp", at.to_string().parse().unwrap());
            headers.insert("webhook-signature", format!("v1a,x v1,{tag}").parse().unwrap());
            headers
        };
        assert!(read(&door, &headers(now, body), body).is_err(), "no secret yet");
        door.secret.set(key.clone()).unwrap();
        assert_eq!(read(&door, &headers(now, body), body).unwrap()["type"], "lead.created");
        assert!(read(&door, &headers(now, b"{}"), body).is_err(), "another body");
        assert!(read(&door, &headers(now - TOLERANCE - 1, body), body).is_err(), "of another time");
        assert!(read(&door, &HeaderMap::new(), body).is_err());
    }
}
