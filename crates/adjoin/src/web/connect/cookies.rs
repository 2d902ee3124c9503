//! One cookie a session, so that several links can be open in one browser.

use axum::http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{id::ConnectSessionId, service::connect_sessions::Cookies};

const PREFIX: &str = "__Host-connect-";
/// No session can be begun anew after an hour; its page may be looked at a little longer.
const MAX_AGE_SECONDS: u32 = 2 * 60 * 60;
/// More than a person ever opens at once.
const MOST: usize = 10;

/// The connect sessions this browser has taken.
pub fn read(headers: &HeaderMap) -> Cookies {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| {
            let id = format!("ses_{}", name.strip_prefix(PREFIX)?).parse().ok()?;
            Some((id, SecretString::from(value)))
        })
        .take(MOST)
        .collect()
}

/// This browser's secret for one session.
pub fn of(headers: &HeaderMap, id: &ConnectSessionId) -> Option<SecretString> {
    read(headers).into_iter().find(|(known, _)| known == id).map(|(_, secret)| secret)
}

/// The header that gives the session to this browser. `Lax` lets it come along when Facebook sends the browser back.
pub fn set(id: &ConnectSessionId, secret: &SecretString) -> HeaderValue {
    let name = id.as_str().trim_start_matches("ses_");
    let cookie = format!(
        "{PREFIX}{name}={}; Path=/; Max-Age={MAX_AGE_SECONDS}; Secure; HttpOnly; SameSite=Lax",
        secret.expose_secret()
    );
    let mut value = HeaderValue::from_str(&cookie).expect("a session's id and secret are plain ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_as_it_was_set() {
        let id = ConnectSessionId::new();
        let set = set(&id, &SecretString::from("s3cret"));
        let text = set.to_str().unwrap();
        assert!(text.starts_with("__Host-connect-"));
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(text.contains(attribute), "{attribute}");
        }
        assert!(!text.contains("Domain"));
        let mut headers = HeaderMap::new();
        let pair = text.split(';').next().unwrap();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_str(&format!("a=b; {pair}; __Host-connect-x=y")).unwrap(),
        );
        assert_eq!(of(&headers, &id).unwrap().expose_secret(), "s3cret");
        assert!(of(&headers, &ConnectSessionId::new()).is_none());
        assert_eq!(read(&headers).len(), 1);
    }
}
