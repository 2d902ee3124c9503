//! `appsecret_proof`: the caller shows that it holds the app secret.

use aws_lc_rs::{constant_time, hmac};

use crate::{
    hex::hex,
    protocol::{Call, GraphError},
    world::{World, identity::App},
};

/// How old or how far ahead `appsecret_time` may be.
const WINDOW_SECONDS: i64 = 300;

/// The proof in hex: of the token alone, or of `token|unix_seconds` when a time is given.
pub fn appsecret_proof(secret: &str, token: &str, time: Option<i64>) -> String {
    let message = time.map_or_else(|| token.to_owned(), |time| format!("{token}|{time}"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex(hmac::sign(&key, message.as_bytes()).as_ref())
}

/// Refuses a wrong or stale proof, and a missing one where the app (or `always`) requires it.
pub fn check(world: &World, app: &App, token: &str, call: &Call, always: bool) -> Result<(), GraphError> {
    let Some(given) = call.params.text("appsecret_proof") else {
        if always || app.require_app_secret_proof || world.scenarios.proof_required() {
            return Err(method_error("API calls from the server require an appsecret_proof argument"));
        }
        return Ok(());
    };
    let wrong = || method_error("Invalid appsecret_proof provided in the API argument");
    let time = match call.params.text("appsecret_time") {
        None => None,
        Some(text) => Some(text.parse::<i64>().map_err(|_| wrong())?),
    };
    let now = world.clock.unix() + world.scenarios.clock_skew_seconds();
    if time.is_some_and(|time| now.saturating_sub(time).saturating_abs() > WINDOW_SECONDS) {
        return Err(wrong());
    }
    let expected = appsecret_proof(&app.secret, token, time);
    constant_time::verify_slices_are_equal(expected.as_bytes(), given.to_ascii_lowercase().as_bytes())
        .map_err(|_| wrong())
}

fn method_error(message: &str) -> GraphError {
    GraphError { kind: "GraphMethodException", ..GraphError::new(100, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_vector() {
        // HMAC-SHA256("key", "The quick brown fox jumps over the lazy dog"), a widely known vector.
        assert_eq!(
            appsecret_proof("key", "The quick brown fox jumps over the lazy dog", None),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
        assert_ne!(appsecret_proof("key", "a", Some(1)), appsecret_proof("key", "a", Some(2)));
        assert_eq!(appsecret_proof("key", "a", Some(1)), appsecret_proof("key", "a|1", None));
    }
}
