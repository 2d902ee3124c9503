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
use crate::request::Body;
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
    /// Fails on a Graph URL that is not http or https, a version that is not `vN.N`, or a user agent no header can hold.
    pub fn new(config: GraphConfig) -> Result<Self, Error> {
        if !is_version(&config.version) {
            return Err(Error::invalid(format!(
                "'{}' is no Graph API version such as v26.0",
                config.version
            )));
        }
        if !matches!(config.graph_url.scheme(), "http" | "https") {
            return Err(Error::invalid("the Graph URL must be an http or https URL"));
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
            match self.send(request, access).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.before_another(error, attempt, request.method.is_read()).await?,
            }
            attempt += 1;
        }
    }

    /// After the attempt that failed: waits for the next, or hands the error back when there is to be none.
    pub(crate) async fn before_another(
        &self,
        error: Error,
        attempt: u32,
        is_read: bool,
    ) -> Result<(), Error> {
        let Retry::Wait(wait) = self.0.retry.decide(&error, attempt, is_read, jitter()) else {
            return Err(error);
        };
        tracing::debug!(attempt, ?wait, %error, "sent again after a wait");
        tokio::time::sleep(wait).await;
        Ok(())
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
        let form = self.proof_form();
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
                    let until = self.0.clock.now().saturating_add(UNTIMED_SECONDS);
                    self.0.untimed_until.store(until, Ordering::Relaxed);
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
            Method::Patch => http::Method::PATCH,
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
            call = call.header(header::CONTENT_TYPE, body.content_type()).body(body.into_text());
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
        let mut response = call.send().await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = self.read(response).await?;
        Answer::judge(status, &headers, body, secrets)
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Bytes, Error> {
        let limit = self.0.max_body;
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        // Most answers come in one piece, which is then used as it is.
        let mut first = Bytes::new();
        let mut joined = BytesMut::new();
        let mut length = 0;
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            length += piece.len();
            if length > limit {
                return Err(Error::TooLarge { limit });
            }
            if first.is_empty() {
                first = piece;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(announced.unwrap_or(length * 2).min(limit));
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&piece);
        }
        Ok(if joined.is_empty() { first } else { joined.freeze() })
    }

    fn proof_form(&self) -> ProofForm {
        let remembered = self.0.clock.now() < self.0.untimed_until.load(Ordering::Relaxed);
        if remembered { ProofForm::Untimed } else { ProofForm::Timed }
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
        let signature = access.and_then(|access| self.sign(access, self.proof_form()));
        let mut extra = pairs(signature.as_ref());
        if let Some(access) = access {
            extra.push(("access_token", access.token.expose_secret()));
        }
        let (url, body) = request.encode(&self.0.base, &extra)?;
        let full = &url[url::Position::BeforePath..];
        let relative = full.strip_prefix(self.0.base.path()).unwrap_or(full).trim_start_matches('/');
        // Inside a batch every body is a form.
        let body = body.map(|body| match body {
            Body::Form(form) => form,
            Body::Json(_) => request.form(&[]),
        });
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use axum::body::Body;
    use futures_util::stream;
    use serde_json::json;
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::peer::{NOW, Peer, Reply};
    use crate::{GraphRefusal, SecretString};

    const TOKEN: &str = "EAABsecrettoken";
    const SECRET: &str = "app-secret-0123";

    fn access() -> Access {
        Access::signed(TOKEN, SECRET)
    }

    fn invalid_proof() -> Reply {
        let message = "Invalid appsecret_proof provided in the API argument";
        Reply::json(400, &json!({"error": {"message": message, "type": "GraphMethodException", "code": 100}}))
    }

    fn refusal(error: &Error) -> &GraphRefusal {
        error.refusal().unwrap_or_else(|| panic!("not a refusal: {error}"))
    }

    #[tokio::test]
    async fn a_read_has_its_parameters_and_proof_in_the_query_and_its_token_in_the_header() {
        let peer = Peer::start([Reply::ok(&json!({"id": "1"}))]).await;
        let request = Request::get("/act_1/campaigns")
            .param("fields", "id,name")
            .param("effective_status", json!(["ACTIVE", "PAUSED"]))
            .param("limit", 50)
            .param("is_completed", false)
            .param("after", json!(null));
        peer.graph().send(&request, &access()).await.unwrap();

        let seen = &peer.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/v26.0/act_1/campaigns"));
        assert_eq!(seen.bearer(), Some(TOKEN));
        assert_eq!(seen.in_query("fields").unwrap(), "id,name");
        assert_eq!(seen.in_query("effective_status").unwrap(), r#"["ACTIVE","PAUSED"]"#);
        assert_eq!(seen.in_query("limit").unwrap(), "50");
        assert_eq!(seen.in_query("is_completed").unwrap(), "false");
        assert_eq!(seen.in_query("after"), None);
        let expected = proof::timed(&TOKEN.into(), &SECRET.into(), NOW);
        assert_eq!(seen.in_query("appsecret_proof").unwrap(), expected);
        assert_eq!(seen.in_query("appsecret_time").unwrap(), NOW.to_string());
        assert!(!seen.query.contains(TOKEN));
        assert_eq!(seen.body, "");
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("adjoin-graph/"));
    }

    #[tokio::test]
    async fn a_write_is_a_form_with_json_text_inside() {
        let peer = Peer::start([Reply::ok(&json!({"id": "1"}))]).await;
        let request = Request::post("act_1/adsets").param("name", "A & B").params(
            json!({"targeting": {"geo_locations": {"countries": ["FR"]}}}).as_object().unwrap().clone(),
        );
        let answer: serde_json::Value = peer.graph().send_as(&request, &access()).await.unwrap();
        assert_eq!(answer, json!({"id": "1"}));

        let seen = &peer.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v26.0/act_1/adsets"));
        assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(seen.query, "");
        assert_eq!(seen.in_form("name").unwrap(), "A & B");
        assert_eq!(seen.in_form("targeting").unwrap(), r#"{"geo_locations":{"countries":["FR"]}}"#);
        assert_eq!(seen.in_form("appsecret_time").unwrap(), NOW.to_string());
        assert_eq!(seen.in_form("access_token"), None);
    }

    #[tokio::test]
    async fn a_change_in_part_is_sent_as_json_and_signed_in_its_query() {
        let peer = Peer::start([Reply::ok(&json!({"success": true}))]).await;
        let request =
            Request::patch("/act_1/subscriptions/2").param("status", "DISABLED").param("x", json!(null));
        peer.graph().send(&request, &access()).await.unwrap();
        let seen = &peer.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "/v26.0/act_1/subscriptions/2"));
        assert_eq!((seen.bearer(), seen.body.as_str()), (Some(TOKEN), r#"{"status":"DISABLED"}"#));
        assert_eq!(seen.headers["content-type"], "application/json");
        let expected = proof::timed(&TOKEN.into(), &SECRET.into(), NOW);
        assert_eq!(seen.in_query("appsecret_proof").unwrap(), expected);
    }

    #[tokio::test]
    async fn an_unsigned_delete_has_neither_proof_nor_body() {
        let peer = Peer::start([Reply::ok(&json!({"success": true}))]).await;
        let request = Request::delete("/act_1/adimages").param("hash", "abc");
        peer.graph().send(&request, &Access::unsigned(TOKEN)).await.unwrap();
        let seen = &peer.seen()[0];
        assert_eq!(
            (seen.method.as_str(), seen.query.as_str(), seen.body.as_str()),
            ("DELETE", "hash=abc", "")
        );
    }

    #[tokio::test]
    async fn a_path_cannot_leave_its_place() {
        let peer = Peer::start([Reply::ok(&json!({}))]).await;
        for path in ["/act_1/../me", "/./me"] {
            let error = peer.graph().send(&Request::get(path), &access()).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{error}");
        }
        peer.graph().send(&Request::get("/1?access_token=x#y/%2e"), &Access::unsigned(TOKEN)).await.unwrap();
        let seen = peer.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].path.as_str(), seen[0].query.as_str()),
            ("/v26.0/1%3Faccess_token=x%23y/%252e", "")
        );
    }

    #[tokio::test]
    async fn a_refused_timed_proof_is_followed_by_the_older_form_which_is_then_remembered() {
        let ok = || Reply::ok(&json!({}));
        let peer = Peer::start([invalid_proof(), ok(), ok(), ok()]).await;
        let now = Arc::new(AtomicI64::new(NOW));
        let reading = Arc::clone(&now);
        let mut config = peer.config();
        config.clock = Clock::from_fn(move || reading.load(Ordering::Relaxed));
        let graph = Graph::new(config).unwrap();

        let write = Request::post("/act_1/campaigns");
        graph.send(&write, &access()).await.unwrap();
        graph.send(&write, &access()).await.unwrap();
        now.fetch_add(UNTIMED_SECONDS, Ordering::Relaxed);
        graph.send(&write, &access()).await.unwrap();

        let older = proof::untimed(&TOKEN.into(), &SECRET.into());
        let times: Vec<_> = peer.seen().iter().map(|seen| seen.in_form("appsecret_time")).collect();
        let proofs: Vec<_> =
            peer.seen().iter().map(|seen| seen.in_form("appsecret_proof") == Some(older.clone())).collect();
        assert_eq!(times, [Some(NOW.to_string()), None, None, Some((NOW + UNTIMED_SECONDS).to_string())]);
        assert_eq!(proofs, [false, true, true, false]);
    }

    #[tokio::test]
    async fn the_older_form_is_tried_once_and_only_when_a_proof_was_sent() {
        let replies = (0..6).map(|n| if n == 4 { Reply::ok(&json!({})) } else { invalid_proof() });
        let peer = Peer::start(replies).await;
        let graph = peer.graph();
        let request = Request::get("/me");
        refusal(&graph.send(&request, &access()).await.unwrap_err());
        assert_eq!(peer.seen().len(), 2);
        refusal(&graph.send(&request, &Access::unsigned(TOKEN)).await.unwrap_err());
        assert_eq!(peer.seen().len(), 3);
        // The fourth and fifth make it remember the older form; the sixth has nothing to fall back on.
        graph.send(&request, &access()).await.unwrap();
        refusal(&graph.send(&request, &access()).await.unwrap_err());
        assert_eq!(peer.seen().len(), 6);
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let peer = Peer::start([Reply::text(302, "").header("location", "/elsewhere")]).await;
        let error = peer.graph().send(&Request::get("/me"), &access()).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { status: 302, .. }), "{error}");
        assert_eq!(peer.seen().len(), 1);
    }

    #[tokio::test]
    async fn an_answer_over_the_limit_is_refused_whether_its_length_is_announced_or_not() {
        let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 600]));
        let streamed = Body::from_stream(stream::iter([piece(), piece()]));
        let exact = format!("\"{}\"", "a".repeat(998));
        let peer = Peer::start([
            Reply::text(200, vec![b' '; 1001]),
            Reply::text(200, streamed),
            Reply::text(200, exact.clone()),
        ])
        .await;
        let mut config = peer.config();
        config.max_body = 1000;
        let graph = Graph::new(config).unwrap();
        for _ in 0..2 {
            let error = graph.send(&Request::get("/me"), &access()).await.unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: 1000 }), "{error}");
        }
        assert_eq!(graph.send(&Request::get("/me"), &access()).await.unwrap().body, exact);
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together() {
        let parts = ["{\"data\":", "[1,2", ",3]}"]
            .map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes())));
        let peer = Peer::start([Reply::text(200, Body::from_stream(stream::iter(parts)))]).await;
        let answer = peer.graph().send(&Request::get("/me"), &access()).await.unwrap();
        assert_eq!(answer.json().unwrap(), json!({"data": [1, 2, 3]}));
    }

    #[tokio::test]
    async fn a_peer_that_is_not_there_was_sent_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let graph = Graph::new(GraphConfig::new(url, "v26.0")).unwrap();
        let error = graph.send(&Request::post("/me/feed"), &access()).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { sent: false, .. }), "{error:?}");
        assert!(error.is_unsent() && !error.is_outcome_unknown());
    }

    #[tokio::test]
    async fn a_connection_that_breaks_and_a_peer_that_is_silent_leave_the_outcome_open() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config =
            GraphConfig::new(format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(), "v26.0");
        config.timeout = Duration::from_millis(200);
        let server = tokio::spawn(async move {
            let mut buffer = [0; 64];
            let (mut first, _) = listener.accept().await.unwrap();
            first.read_exact(&mut buffer).await.unwrap();
            drop(first);
            let (mut second, _) = listener.accept().await.unwrap();
            second.read_exact(&mut buffer).await.unwrap();
            std::future::pending::<()>().await;
        });
        let graph = Graph::new(config).unwrap();
        let request = Request::post("/act_1/campaigns");
        let error = graph.send(&request, &access()).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { sent: true, .. }), "{error:?}");
        assert!(error.is_outcome_unknown());
        let error = graph.send(&request, &access()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { sent: true }), "{error:?}");
        assert!(error.is_outcome_unknown());
        server.abort();
    }

    #[tokio::test]
    async fn a_read_is_repeated_after_a_passing_fault_and_a_write_is_not() {
        let busy = || {
            let error =
                json!({"message": "(#2) Service temporarily unavailable", "code": 2, "is_transient": true});
            Reply::json(503, &json!({"error": error}))
        };
        let peer =
            Peer::start([busy(), Reply::text(502, "<html>"), Reply::ok(&json!({"id": "1"})), busy()]).await;
        let graph = peer.graph();
        graph.send_with_retry(&Request::get("/me"), &access()).await.unwrap();
        assert_eq!(peer.seen().len(), 3);
        let error = graph.send_with_retry(&Request::post("/act_1/ads"), &access()).await.unwrap_err();
        assert!(error.is_outcome_unknown());
        assert_eq!(peer.seen().len(), 4);
    }

    #[tokio::test]
    async fn a_throttle_is_told_and_not_repeated() {
        let usage = json!({"123": [{"type": "ads_management", "estimated_time_to_regain_access": 7}]});
        let error = json!({"message": "(#80004) There have been too many calls", "code": 80004, "error_subcode": 2_446_079, "is_transient": true});
        let reply =
            Reply::json(400, &json!({"error": error})).header("x-business-use-case-usage", usage.to_string());
        let peer = Peer::start([reply]).await;
        let error = peer.graph().send_with_retry(&Request::get("/me"), &access()).await.unwrap_err();
        assert!(refusal(&error).is_throttle());
        assert_eq!(refusal(&error).usage.business[0].minutes_to_regain_access, 7);
        assert_eq!(peer.seen().len(), 1);
    }

    #[tokio::test]
    async fn connections_are_reused() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let ports = Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = Arc::clone(&ports);
        let handler =
            move |axum::extract::ConnectInfo(from): axum::extract::ConnectInfo<std::net::SocketAddr>| {
                noted.lock().unwrap().push(from.port());
                async { "{}" }
            };
        let router = axum::Router::new()
            .fallback(handler)
            .into_make_service_with_connect_info::<std::net::SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let graph = Graph::new(GraphConfig::new(url, "v26.0")).unwrap();
        for _ in 0..3 {
            graph.clone().send(&Request::get("/me"), &access()).await.unwrap();
        }
        let ports = ports.lock().unwrap().clone();
        assert_eq!((ports.len(), ports.iter().collect::<std::collections::HashSet<_>>().len()), (3, 1));
        server.abort();
    }

    #[tokio::test]
    async fn no_error_and_no_debug_text_shows_a_secret() {
        let app_token = format!("123456|{SECRET}");
        let encoded: String = url::form_urlencoded::byte_serialize(app_token.as_bytes()).collect();
        let leaky = |text: &str| {
            let data =
                json!({"blame_field_specs": [[text]], "url": format!("https://x/?t={text}")}).to_string();
            let error = json!({"message": format!("Malformed access token {text}"), "error_user_title": text,
                "error_user_msg": text, "error_data": data, "code": 190, "fbtrace_id": "A1"});
            Reply::json(400, &json!({"error": error}))
        };
        let html = format!("<html>{TOKEN} {}</html>", "x".repeat(100));
        let peer = Peer::start([
            leaky(TOKEN),
            leaky(&app_token),
            leaky(&encoded),
            leaky(SECRET),
            Reply::text(500, html),
            Reply::text(200, format!("access_token={TOKEN}&expires=1")),
            Reply::ok(&json!({"access_token": TOKEN})),
        ])
        .await;
        let graph = peer.graph();
        let app_access = Access::app("123456", &SecretString::from(SECRET));
        let request = Request::get("/me").param("fields", "id");
        let asking = request.clone().param("input_token", TOKEN).param("client_secret", SECRET);

        let mut texts =
            vec![format!("{asking:?} {:?} {app_access:?} {graph:?} {:?}", access(), peer.config())];
        for access in [&access(), &app_access, &app_access, &app_access, &access(), &access()] {
            let error = graph.send(&request, access).await.unwrap_err();
            texts.push(format!("{error} {error:?}"));
            if let Some(refusal) = error.refusal() {
                texts.push(serde_json::to_string(refusal).unwrap());
            }
        }
        let answer = graph.send(&request, &access()).await.unwrap();
        texts.push(format!("{answer:?}"));
        texts.push(answer.parse::<Vec<u8>>().unwrap_err().to_string());
        texts.push(format!("{:?}", answer.parse::<std::collections::HashMap<String, u8>>().unwrap_err()));
        let nowhere = Graph::new(GraphConfig::new("http://127.0.0.1:1".parse().unwrap(), "v26.0")).unwrap();
        let mut error: &dyn std::error::Error = &nowhere.send(&asking, &access()).await.unwrap_err();
        loop {
            texts.push(format!("{error} {error:?}"));
            let Some(source) = error.source() else { break };
            error = source;
        }
        let bad_token = Access::unsigned(format!("{TOKEN}\n"));
        texts.push(format!("{:?}", graph.send(&Request::get("/me"), &bad_token).await.unwrap_err()));

        assert!(
            texts[1].contains("[redacted]") && texts[1].contains("Malformed access token"),
            "{}",
            texts[1]
        );
        for text in texts {
            assert!(
                !text.contains(TOKEN) && !text.contains(SECRET) && !text.contains("appsecret_proof="),
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_configuration_is_refused() {
        for (url, version) in [
            ("https://graph.facebook.com", "26.0"),
            ("https://graph.facebook.com", "v26"),
            ("https://graph.facebook.com", "v26.0/me"),
            ("https://graph.facebook.com", ""),
            ("mailto:a@b.c", "v26.0"),
            ("ftp://graph.facebook.com", "v26.0"),
        ] {
            let error = Graph::new(GraphConfig::new(url.parse().unwrap(), version)).unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{url} {version}");
        }
    }

    #[tokio::test]
    async fn a_graph_url_may_have_a_path_of_its_own() {
        let peer = Peer::start([Reply::ok(&json!({}))]).await;
        let graph = Graph::new(GraphConfig::new(peer.url.join("/graph/").unwrap(), "v25.0")).unwrap();
        graph.send(&Request::get("me"), &access()).await.unwrap();
        assert_eq!(peer.seen()[0].path, "/graph/v25.0/me");
    }
}
