//! Headers that make browsers guard our pages. A handler that needs another policy sets its own; the rest stays.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::service::settings::is_loopback;

/// The content security policy of a page: our own scripts, styles and images, nothing else.
///
/// `form_targets` are origins a form may lead to besides our own (browsers hold redirects after a form to it,
/// so the login dialog's host stands here); `frame_ancestors` are the origins that may frame the page.
pub fn content_security_policy(form_targets: &[&str], frame_ancestors: &[&str]) -> HeaderValue {
    let ancestors = if frame_ancestors.is_empty() { "'none'".to_owned() } else { frame_ancestors.join(" ") };
    let targets = form_targets.iter().fold("'self'".to_owned(), |all, target| format!("{all} {target}"));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action {targets}; base-uri 'none'; frame-ancestors {ancestors}"
    );
    // Origins are checked when they are stored; whatever is no header value closes the page up instead.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The policy of a page that says nothing of its own.
static OURS: LazyLock<HeaderValue> = LazyLock::new(|| content_security_policy(&[], &[]));

/// Adds to an answer's headers those that it does not set itself.
pub fn guard(headers: &mut HeaderMap, https: bool) {
    let mut default = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    default(header::CONTENT_SECURITY_POLICY, OURS.clone());
    default(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    default(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin-allow-popups"),
    );
    default(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if https {
        default(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// For one pair of eyes: no address leaks, nothing is kept, no search engine lists it.
pub fn keep_private(headers: &mut HeaderMap) {
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
}

/// TLS ends before us. Every host but the machine's own is served over https only, so the host tells.
pub fn served_over_https(headers: &HeaderMap) -> bool {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| !is_loopback(host))
}
