//! Sign-in and sign-out.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use askama::Template;
use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::DashMapStateStore};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Page, Result,
    input::{Form, Query},
    next::Next,
    parts::{Field, Mark, Refusal, Tone},
    session::{self, Session},
};
use crate::{
    service::{App, Fault, operators},
    time::Clock,
    web::limits::{self, ServiceClock},
};

/// Tries a minute for one e-mail address; as many may come at once.
const PER_EMAIL: NonZeroU32 = NonZeroU32::new(6).unwrap();
/// Tries a minute from one network address (as [`limits::client`] tells it), which a whole office may share.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// From so many remembered e-mails or addresses on, those that are idle are forgotten.
const REMEMBERED: usize = 10_000;

/// How often sign-in may be tried.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    emails: Limiter<String>,
    addresses: Limiter<IpAddr>,
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, ServiceClock, NoOpMiddleware<Duration>>;

impl Limits {
    pub fn new(clock: &Clock) -> Self {
        let clock = || ServiceClock(clock.clone());
        Self(Arc::new(Inner {
            emails: RateLimiter::dashmap_with_clock(Quota::per_minute(PER_EMAIL), clock()),
            addresses: RateLimiter::dashmap_with_clock(Quota::per_minute(PER_ADDRESS), clock()),
        }))
    }

    /// Takes one try; false when there is none left. Counted before the password is looked at, and for addresses
    /// that nobody has alike.
    fn take(&self, email: &str, address: Option<IpAddr>) -> bool {
        let Inner { emails, addresses } = &*self.0;
        if emails.len() > REMEMBERED {
            emails.retain_recent();
        }
        if addresses.len() > REMEMBERED {
            addresses.retain_recent();
        }
        address.is_none_or(|address| addresses.check_key(&address).is_ok())
            && emails.check_key(&email.trim().to_lowercase()).is_ok()
    }
}

#[derive(Debug, Template)]
#[template(path = "console/sign_in.html")]
pub struct SignIn {
    email: String,
    next: String,
    expired: bool,
    no_operator: bool,
    refusal: Refusal,
    limited: bool,
}

#[derive(Debug, Deserialize)]
pub struct Asked {
    next: Option<String>,
    expired: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Given {
    email: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

pub async fn show(
    State(app): State<App>,
    session: Option<Session>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let next = asked.next.as_deref().and_then(Next::new);
    if session.is_some() {
        return Ok(Redirect::to(next.as_ref().map_or("/", Next::as_str)).into_response());
    }
    Ok(Page::new(SignIn {
        email: String::new(),
        next: next.map(|next| next.as_str().to_owned()).unwrap_or_default(),
        expired: asked.expired.is_some(),
        no_operator: !operators::exists(&app).await?,
        refusal: Refusal::default(),
        limited: false,
    })
    .into_response())
}

pub async fn submit(
    State(app): State<App>,
    Extension(tries): Extension<Limits>,
    connection: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response> {
    let next = Next::new(&given.next);
    let again = |status, fault: Option<Fault>| {
        let page = SignIn {
            email: given.email.clone(),
            next: next.as_ref().map(|next| next.as_str().to_owned()).unwrap_or_default(),
            expired: false,
            no_operator: false,
            limited: fault.is_none(),
            refusal: Refusal { faults: fault.into_iter().collect(), problem: None },
        };
        (status, Page::new(page)).into_response()
    };
    let address = connection.map(|Extension(ConnectInfo(peer))| limits::client(peer.ip(), &headers));
    if !tries.take(&given.email, address) {
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, None);
        response.headers_mut().insert(header::RETRY_AFTER, 60.into());
        return Ok(response);
    }
    match operators::sign_in(&app, &given.email, &given.password).await? {
        Some(secret) => {
            let target = next.as_ref().map_or("/", Next::as_str);
            Ok(([(header::SET_COOKIE, session::cookie(&secret))], Redirect::to(target)).into_response())
        }
        None => Ok(again(
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(Fault::new(
                "password",
                "e-mail address and password do not match",
                "the password this operator was created with",
            )),
        )),
    }
}

pub async fn leave(State(app): State<App>, session: Option<Session>) -> Result<Response> {
    if let Some(session) = session {
        session.end(&app).await?;
    }
    Ok(([(header::SET_COOKIE, session::no_cookie())], Redirect::to("/sign-in")).into_response())
}
