//! Limits that hold for every request, and problems for those that go beyond.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest as _, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference as _},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use super::{problem::Problem, reader};
use crate::{
    service::{App, Who},
    time::Clock,
};

/// Largest body that is read, in bytes: 1 MiB.
pub const BODY_MAX: usize = 1024 * 1024;

/// Longest time a request may take: some calls at Meta, each with its own limit.
const DEADLINE: Duration = Duration::from_mins(2);

/// Ends a request at its deadline.
pub async fn within_deadline(answer: impl Future<Output = Response>) -> Result<Response, Problem> {
    tokio::time::timeout(DEADLINE, answer).await.map_err(|_| {
        Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "took-too-long",
            "It took too long",
            "there was no answer in time; what was begun goes on or is undone",
            Who::Partner,
            "look what has become of it before you do it again",
        )
    })
}

/// A body needs no longer on any line worth serving.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the body is declared to be, without parameters such as a charset; empty where nothing is declared.
pub fn media_type(headers: &HeaderMap) -> &str {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim()
}

/// Reads the whole body, within the limits of size and time.
pub async fn body(request: Request, app: &App) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, app)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Ok(Err(rejection)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "body-broken",
            "The body did not arrive whole",
            format!("the body cannot be read: {rejection}; nothing was done"),
            Who::Partner,
            "send it again",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "The body did not arrive",
            "the request's body did not arrive in time; nothing was done",
            Who::Partner,
            "send it again",
        )),
    }
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "The body is too large",
        "the body is larger than 1 MiB; nothing was done",
        Who::Partner,
        "send less at once",
    )
}

/// The service's clock as governor reads clocks.
#[derive(Debug, Clone)]
pub struct ServiceClock(pub Clock);

impl governor::clock::Clock for ServiceClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().millis().unsigned_abs())
    }
}

type Limiter = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, ServiceClock, NoOpMiddleware<Duration>>;

/// How often one address may open the pages that anybody can reach: those behind connect links, and where Facebook
/// sends browsers back to; as many may come at once. A waiting page asks every two seconds.
#[derive(Debug, Clone)]
pub struct PerAddress(Arc<Limiter>);

const PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// Most addresses remembered; from then on those that are idle are forgotten.
const REMEMBERED: usize = 10_000;

impl PerAddress {
    pub fn new(clock: Clock) -> Self {
        let quota = Quota::per_minute(PER_MINUTE);
        Self(Arc::new(RateLimiter::dashmap_with_clock(quota, ServiceClock(clock))))
    }

    /// Seconds to wait, if it is too often.
    fn take(&self, address: IpAddr) -> Result<(), u64> {
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        self.0.check_key(&address).map_err(|until| {
            let wait = until.earliest_possible().duration_since(self.0.clock().now());
            Duration::from(wait).as_secs() + 1
        })
    }
}

/// The layer that holds each address to its limit. People are answered with a page, programs with a problem.
pub async fn per_address(
    State((app, limits)): State<(App, PerAddress)>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    let taken = peer.map_or(Ok(()), |peer| limits.take(client(peer, request.headers())));
    let Err(seconds) = taken else { return next.run(request).await };
    let problem = Problem {
        retry_after: Some(seconds),
        ..Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "One moment, please",
            "from your network more pages were opened here than we allow in a minute; this one was not, and nothing was done",
            Who::Partner,
            format!("wait {seconds} second{} and load this page again", if seconds == 1 { "" } else { "s" }),
        )
    };
    reader::answer(&app, request.uri().path(), problem)
}

/// Whom a request comes from. A proxy on this machine or in its private network tells in `X-Forwarded-For`, whose last
/// entry is its own; nobody else is believed. Of an IPv6 address the network counts, since a host has all of it.
pub fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let is_near = match peer {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    };
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|it| it.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    match last.filter(|_| is_near).unwrap_or(peer).to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_proxy_is_believed_and_nobody_else() {
        let client = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client("127.0.0.1", "1.1.1.1, 203.0.113.7"), "203.0.113.7");
        assert_eq!(client("10.0.0.2", "203.0.113.7"), "203.0.113.7");
        assert_eq!(client("198.51.100.9", "203.0.113.7"), "198.51.100.9");
        assert_eq!(client("127.0.0.1", "unknown"), "127.0.0.1");
        assert_eq!(client("::1", "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(client("::ffff:198.51.100.9", "x"), "198.51.100.9");
    }
}
