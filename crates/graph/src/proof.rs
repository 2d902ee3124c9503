//! `appsecret_proof`: shows that the caller of a token also holds the app's secret.
//!
//! Source: Facebook Login security, "Verify Graph API calls with appsecret_proof".

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// How long Meta accepts a timed proof, in seconds. A clock that is further off breaks every signed call.
pub const TIMED_PROOF_LIFETIME: i64 = 300;

/// The 2026 form: hex HMAC-SHA256 over `token|unix_seconds`, sent with the same seconds as `appsecret_time`.
/// Good for [`TIMED_PROOF_LIFETIME`], so made afresh for each call.
pub fn timed(token: &SecretString, app_secret: &SecretString, unix_seconds: i64) -> String {
    let mut context = hmac::Context::with_key(&key(app_secret));
    context.update(token.expose_secret().as_bytes());
    context.update(format!("|{unix_seconds}").as_bytes());
    hex(context.sign().as_ref())
}

/// The older form: hex HMAC-SHA256 over the token alone. Never expires.
pub fn untimed(token: &SecretString, app_secret: &SecretString) -> String {
    hex(hmac::sign(&key(app_secret), token.expose_secret().as_bytes()).as_ref())
}

pub(crate) fn key(secret: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
}

/// Lower-case hex, as Meta writes proofs, signatures and hashes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |it: u8| char::from(DIGITS[usize::from(it & 15)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // Vectors made with `printf '%s' MESSAGE | openssl dgst -sha256 -hmac SECRET`.
    #[test]
    fn both_forms_match_vectors_of_another_implementation() {
        let (token, secret) = (SecretString::from("EAABtoken"), SecretString::from("app-secret"));
        assert_eq!(
            timed(&token, &secret, 1_795_000_000),
            "e345dea5f93b5992acb672453a4665e235cc3d39cdaf17aae65cd7dae96f6e57"
        );
        assert_eq!(
            untimed(&token, &secret),
            "f8d8543ed9d717f8ce37042df51ba33498ffe41e44658fdadb5f5c959b38d6b8"
        );
    }
}
