//! `signed_request`: what Meta posts to an app's deauthorize and data deletion URLs.
//!
//! Source: the data deletion callback page of the App Dashboard's documentation.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use serde_json::Value;

use crate::proof;

/// Longer input is refused unread, in bytes. Real ones have a few hundred.
pub const MAX_LENGTH: usize = 16 * 1024;

/// A request whose signature holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedRequest {
    /// App-scoped id of the person.
    pub user_id: Option<String>,
    /// Unix seconds, UTC. The signature does not expire: refuse what is too old for its use.
    pub issued_at: Option<i64>,
    /// The whole payload.
    pub payload: Value,
    /// Which of the secrets it was signed with. The payload does not name its app.
    pub secret_index: usize,
}

/// Why a `signed_request` is not to be believed. For logs: whoever sent it should learn nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedRequestError {
    #[error("the signed_request is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("the signed_request is not two base64url parts with a dot between them and JSON in the second")]
    Malformed,
    #[error("the signed_request is not signed with HMAC-SHA256")]
    Algorithm,
    #[error("the signed_request was not signed with a secret of this app")]
    Signature,
}

/// Meta sends base64url without padding; some of its libraries add it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Checks a `signed_request` against each of `secrets`: two while an app secret is being rotated, or those of
/// several apps that share a URL. Signatures are compared in constant time.
pub fn verify<'a>(
    signed_request: &str,
    secrets: impl IntoIterator<Item = &'a SecretString>,
) -> Result<SignedRequest, SignedRequestError> {
    use SignedRequestError::{Algorithm, Malformed, Signature, TooLong};
    if signed_request.len() > MAX_LENGTH {
        return Err(TooLong);
    }
    let (signature, encoded) = signed_request.split_once('.').ok_or(Malformed)?;
    if encoded.contains('.') {
        return Err(Malformed);
    }
    let signature = BASE64URL.decode(signature).map_err(|_| Malformed)?;
    let payload = BASE64URL.decode(encoded).map_err(|_| Malformed)?;
    let payload: Value = serde_json::from_slice(&payload).map_err(|_| Malformed)?;
    let algorithm = payload.get("algorithm").and_then(Value::as_str).unwrap_or_default();
    if !algorithm.eq_ignore_ascii_case("HMAC-SHA256") {
        return Err(Algorithm);
    }
    let secret_index = secrets
        .into_iter()
        .position(|secret| hmac::verify(&proof::key(secret), encoded.as_bytes(), &signature).is_ok())
        .ok_or(Signature)?;
    let user_id = match payload.get("user_id") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let issued_at = payload.get("issued_at").and_then(Value::as_i64);
    Ok(SignedRequest { user_id, issued_at, payload, secret_index })
}
