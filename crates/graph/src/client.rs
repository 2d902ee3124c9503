use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, header};
use reqwest::redirect;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Secrets;
use crate::{Access, Answer, Clock, Error, Method, Request, Retry, RetryPolicy, proof};

/// What a [`Graph`] is built from.
#[derive(Debug, Clone)]
pub struct GraphConfig {
    /// `https://graph.facebook.com`, or a sandbox. An operator's setting, never a caller's input: tokens go there.
    pub graph_url: Url,
    /// `v26.0`
    pub version: String,
    /// For one attempt, from connecting to the last byte.
    pub timeout: Duration,
    pub user_agent: String,
    /// Longer answers are refused, in bytes.
    pub max_body: usize,
    /// For [`Graph::send_with_retry`] and the pages.
    pub retry: RetryPolicy,
    pub clock: Clock,
}

impl GraphConfig {
    pub fn new(graph_url: Url, version: impl Into<String>) -> Self {
        Self {
            graph_url,
            version: version.into(),
            timeout: Duration::from_mins(1),
            user_agent: concat!("adjoin-graph/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_body: 32 * 1024 * 1024,
            retry: RetryPolicy::default(),
            clock: Clock::system(),
        }
    }
}

/// A client of one Graph API at one version. Cheap to clone; all clones share their connections.
#[derive(Debug, Clone)]
pub struct Graph(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    /// Graph URL with the version.
    base: Url,
    max_body: usize,
    retry: RetryPolicy,
    clock: Clock,
    /// Unix seconds until which the older proof is sent at once, since Meta refused a timed one.
    untimed_until: AtomicI64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProofForm {
    Timed,
    Untimed,
}

/// How long a refused timed proof is remembered: without it every call would count as an error at Meta too.
const UNTIMED_SECONDS: i64 = 600;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Graph {
    /// Fails on a Graph URL without a path, a version that is not `vN.N`, or a user agent no header can hold.
    pub fn new(config: GraphConfig) -> Result<Self, Error> {
        if !is_version(&config.version) {
            return Err(Error::invalid(format!(
                "'{}' is no Graph API version such as v26.0",
                config.version
            )));
        }
        let mut base = config.graph_url;
        base.path_segments_mut()
            .map_err(|()| Error::invalid("the Graph URL must be an http or https URL"))?
            .pop_if_empty()
            .push(&config.version);
        base.set_query(None);
        base.set_fragment(None);
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(config.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(config.timeout))
            .user_agent(config.user_agent)
            .build()
            .map_err(|error| Error::invalid(format!("the HTTP client cannot be set up: {error}")))?;
        Ok(Self(Arc::new(Inner {
            http,
            base,
            max_body: config.max_body,
            retry: config.retry,
            clock: config.clock,
            untimed_until: AtomicI64::new(0),
        })))
    }

    /// Sends once. Only a call that Meta refuses for its timed proof is sent again, with the older form.
    pub async fn send(&self, request: &Request, access: &Access) -> Result<Answer, Error> {
        let secrets = Secrets::of(request, Some(access));
        self.send_keeping(request, Some(access), &secrets).await
    }

    /// As [`Graph::send`], and reads the answer as a `T`.
    pub async fn send_as<T: DeserializeOwned>(&self, request: &Request, access: &Access) -> Result<T, Error> {
        self.send(request, access).await?.parse()
    }

    /// As [`Graph::send`], repeated as the configured [`RetryPolicy`] says.
    pub async fn send_with_retry(&self, request: &Request, access: &Access) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let error = match self.send(request, access).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self.0.retry.decide(&error, attempt, request.method.is_read(), jitter()) {
                Retry::Stop => return Err(error),
                Retry::Wait(wait) => {
                    tracing::debug!(attempt, ?wait, %error, "sent again after a wait");
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
            }
        }
    }

    /// A call that needs no token, such as those of the token endpoint.
    pub(crate) async fn send_open(&self, request: &Request) -> Result<Answer, Error> {
        self.send_keeping(request, None, &Secrets::of(request, None)).await
    }

    /// Sends, keeping `secrets` out of every error.
    pub(crate) async fn send_keeping(
        &self,
        request: &Request,
        access: Option<&Access>,
        secrets: &Secrets<'_>,
    ) -> Result<Answer, Error> {
        let now = self.0.clock.now();
        let remembered = now < self.0.untimed_until.load(Ordering::Relaxed);
        let form = if remembered { ProofForm::Untimed } else { ProofForm::Timed };
        match self.attempt(request, access, form, secrets).await {
            Err(Error::Refused(refusal))
                if refusal.is_about_proof()
                    && form == ProofForm::Timed
                    && access.is_some_and(|access| access.app_secret.is_some()) =>
            {
                // Safe for writes as well: a refused call changed nothing.
                let second = self.attempt(request, access, ProofForm::Untimed, secrets).await;
                if second.is_ok() {
                    tracing::warn!(
                        "Meta refused a timed appsecret_proof and took the older form; check the clock"
                    );
                    self.0.untimed_until.store(now + UNTIMED_SECONDS, Ordering::Relaxed);
                }
                second
            }
            outcome => outcome,
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        access: Option<&Access>,
        form: ProofForm,
        secrets: &Secrets<'_>,
    ) -> Result<Answer, Error> {
        let signature = access.and_then(|access| self.sign(access, form));
        let (url, body) = request.encode(&self.0.base, &pairs(signature.as_ref()))?;

        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        };
        let mut call = self.0.http.request(method, url);
        if let Some(access) = access {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.token.expose_secret()))
                .map_err(|_| Error::invalid("the access token holds characters that no token has"))?;
            bearer.set_sensitive(true);
            call = call.header(header::AUTHORIZATION, bearer);
        }
        if let Some(body) = body {
            call = call.header(header::CONTENT_TYPE, FORM).body(body);
        }

        let start = Instant::now();
        let outcome = self.exchange(call, secrets).await;
        let took = start.elapsed();
        match &outcome {
            Ok(answer) => tracing::debug!(
                method = %request.method, path = request.path, status = answer.status, ?took,
                trace_id = answer.trace_id, "answered"
            ),
            Err(error) => {
                tracing::debug!(method = %request.method, path = request.path, ?took, %error, "failed");
            }
        }
        outcome
    }

    async fn exchange(&self, call: reqwest::RequestBuilder, secrets: &Secrets<'_>) -> Result<Answer, Error> {
        let response = call.send().await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = self.read(response).await?;
        Answer::judge(status, &headers, body, secrets)
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Bytes, Error> {
        let limit = self.0.max_body;
        let too_large = Error::TooLarge { limit };
        let announced = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large);
        }
        let Some(first) = response.chunk().await.map_err(broken)? else {
            return Ok(Bytes::new());
        };
        // Most answers come in one piece, which is then used as it is.
        let mut pieces: Option<BytesMut> = None;
        while let Some(next) = response.chunk().await.map_err(broken)? {
            let body = pieces.get_or_insert_with(|| {
                let mut body = BytesMut::with_capacity(announced.unwrap_or(first.len() * 4));
                body.extend_from_slice(&first);
                body
            });
            if body.len() + next.len() > limit {
                return Err(too_large);
            }
            body.extend_from_slice(&next);
        }
        let body = pieces.map_or(first, BytesMut::freeze);
        if body.len() > limit { Err(too_large) } else { Ok(body) }
    }

    /// The proof of one call and, for the timed form, its time.
    fn sign(&self, access: &Access, form: ProofForm) -> Option<Signature> {
        let secret = access.app_secret.as_ref()?;
        Some(match form {
            ProofForm::Timed => {
                let now = self.0.clock.now();
                Signature { proof: proof::timed(&access.token, secret, now), time: Some(now.to_string()) }
            }
            ProofForm::Untimed => Signature { proof: proof::untimed(&access.token, secret), time: None },
        })
    }

    /// Encodes a request as it stands inside a batch: its path and query without the version, and its form body.
    pub(crate) fn encode_inner(
        &self,
        request: &Request,
        access: Option<&Access>,
    ) -> Result<(String, Option<String>), Error> {
        let signature = access.and_then(|access| self.sign(access, ProofForm::Timed));
        let mut extra = pairs(signature.as_ref());
        if let Some(access) = access {
            extra.push(("access_token", access.token.expose_secret()));
        }
        let (url, body) = request.encode(&self.0.base, &extra)?;
        let full = &url[url::Position::BeforePath..];
        let relative = full.strip_prefix(self.0.base.path()).unwrap_or(full).trim_start_matches('/');
        Ok((relative.to_owned(), body))
    }
}

struct Signature {
    proof: String,
    time: Option<String>,
}

fn pairs(signature: Option<&Signature>) -> Vec<(&'static str, &str)> {
    let Some(signature) = signature else { return Vec::new() };
    let time = signature.time.iter().map(|time| ("appsecret_time", time.as_str()));
    std::iter::once(("appsecret_proof", signature.proof.as_str())).chain(time).collect()
}

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

fn broken(error: reqwest::Error) -> Error {
    let (timed_out, sent) = (error.is_timeout(), !error.is_connect());
    if timed_out {
        Error::Timeout { sent }
    } else {
        // The URL of a read holds the proof.
        Error::Unreachable { sent, source: Box::new(error.without_url()) }
    }
}

fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// Somewhere in `0.0..1.0`. Without randomness waits are merely not spread.
fn jitter() -> f64 {
    let mut bytes = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
