//! What the pages for people share: the sheet, the headers, and the refusal of other sites' requests.

use askama::Template;
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

const STYLE: &str = include_str!("../templates/sandbox.css");

/// No script at all, and no other site's frame. `form-action` is left out: it would stop the way back to the app.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// A rendered page with its headers.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, headers("text/html; charset=utf-8", "no-store"), html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub async fn style() -> Response {
    (headers("text/css; charset=utf-8", "no-cache"), STYLE).into_response()
}

fn headers(media: &'static str, cache: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: browsers then send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
    ]
}

/// Lets a browser's request through only when it comes from our own pages; programs send none of these headers.
/// Following a link from elsewhere is fine, since reading changes nothing and the other site sees no answer.
pub async fn own_pages_only(request: Request, next: Next) -> Response {
    match foreign(request.method(), request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

/// As [`own_pages_only`], and under local names only: a public name that someone points at this machine would
/// make another site's pages look like our own.
pub async fn local_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !host.is_empty() && !is_local_name(host) {
        return (StatusCode::FORBIDDEN, "This path is answered under local names only.\n").into_response();
    }
    own_pages_only(request, next).await
}

fn foreign(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text("host").unwrap_or_default();
    let reading = method == Method::GET || method == Method::HEAD;
    if reading && text("sec-fetch-mode") == Some("navigate") {
        return None;
    }
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").is_some_and(|(_, authority)| authority == host),
        (None, None) => true,
    };
    (!own).then_some("The sandbox takes this from its own pages and from programs, not from other sites.\n")
}

/// An address, a name without dots, or a name under a suffix that no public registry hands out.
fn is_local_name(host: &str) -> bool {
    if host.starts_with('[') {
        return true;
    }
    let name =
        host.rsplit_once(':').map_or(host, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
    name.parse::<std::net::Ipv4Addr>().is_ok()
        || !name.contains('.')
        || [".localhost", ".local", ".internal", ".test"].iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &Method, pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        foreign(method, &headers).is_none()
    }

    #[test]
    fn only_own_pages_and_programs_pass() {
        let host = ("host", "127.0.0.1:4004");
        assert!(verdict(&Method::POST, &[host]));
        assert!(verdict(&Method::POST, &[host, ("sec-fetch-site", "same-origin")]));
        assert!(verdict(&Method::POST, &[host, ("origin", "http://127.0.0.1:4004")]));
        assert!(!verdict(&Method::POST, &[host, ("origin", "http://127.0.0.1:9999")]));
        assert!(!verdict(&Method::POST, &[host, ("origin", "null")]));
        assert!(!verdict(&Method::POST, &[host, ("sec-fetch-site", "same-site")]));
        assert!(!verdict(
            &Method::POST,
            &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
        ));
        assert!(verdict(
            &Method::GET,
            &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
        ));
        assert!(!verdict(
            &Method::GET,
            &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]
        ));
    }

    #[test]
    fn a_public_name_is_refused() {
        for host in ["localhost:1", "sandbox:4004", "[::1]:4004", "10.0.0.7", "host.docker.internal:4004"] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["rebind.example.com", "127.0.0.1.example.com:4004", "test.com"] {
            assert!(!is_local_name(host), "{host}");
        }
    }
}
