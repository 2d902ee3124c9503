//! Who is signed in: a cookie that holds a random secret, and the extractor that turns it into an operator.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};

use super::{Failure, next::Next};
use crate::{
    audit::Actor,
    service::{App, operators},
};

/// Bound to this host and, by its prefix, to a secure context. Browsers count the machine itself as one.
const COOKIE: &str = "__Host-adjoin";

/// An operator who is signed in. As an extractor it sends everybody else to the sign-in page.
#[derive(Debug, Clone)]
pub struct Session {
    pub operator: operators::Session,
    secret: SecretString,
}

impl Session {
    pub fn actor(&self) -> Actor {
        Actor::Operator(self.operator.operator_id.clone())
    }

    pub async fn end(&self, app: &App) -> Result<(), Failure> {
        Ok(operators::sign_out(app, self.secret.expose_secret()).await?)
    }
}

/// The header that gives the browser its session.
pub fn cookie(secret: &SecretString) -> HeaderValue {
    let text = format!(
        "{COOKIE}={}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax",
        secret.expose_secret(),
        operators::SESSION_SECONDS
    );
    let mut value = HeaderValue::try_from(text).expect("a token of URL-safe letters is a header value");
    value.set_sensitive(true);
    value
}

/// The header that takes it away.
pub fn no_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-adjoin=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

fn secret(headers: &HeaderMap) -> Option<SecretString> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| SecretString::from(value))
}

impl OptionalFromRequestParts<App> for Session {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Failure> {
        let Some(secret) = secret(&parts.headers) else { return Ok(None) };
        let operator = operators::session(app, secret.expose_secret()).await?;
        Ok(operator.map(|operator| Self { operator, secret }))
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let had_one = secret(&parts.headers).is_some();
        if let Some(session) = <Self as OptionalFromRequestParts<App>>::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?
        {
            return Ok(session);
        }
        // What was sent by a form is lost with the session; only pages are come back to.
        let next = (parts.method == Method::GET).then(|| parts.uri.path_and_query()).flatten();
        let next = next.map(ToString::to_string).and_then(|path| Next::new(&path));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(next) = next.filter(|next| next.as_str() != "/") {
            query.append_pair("next", next.as_str());
        }
        if had_one {
            query.append_pair("expired", "1");
        }
        let query = query.finish();
        let target = if query.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?{query}") };
        Err(Redirect::to(&target).into_response())
    }
}

#[cfg(test)]
impl Session {
    /// Somebody, for pages that are rendered without a request.
    pub fn sample(now: crate::time::Timestamp) -> Self {
        let operator = operators::Session {
            operator_id: crate::id::OperatorId::new(),
            name: "Ada".to_owned(),
            email: "ada@example.com".to_owned(),
            expires_at: now,
        };
        Self { operator, secret: SecretString::from("session-secret") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-adjoin=s3cret; c=d"));
        assert_eq!(secret(&headers).unwrap().expose_secret(), "s3cret");
        headers.insert(header::COOKIE, HeaderValue::from_static("x__Host-adjoin=s3cret"));
        assert!(secret(&headers).is_none());
    }
}
