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
    // A third part does not decode, since a dot is no base64url.
    let (signature, encoded) = signed_request.split_once('.').ok_or(Malformed)?;
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

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sign(payload: &str, secret: &str, engine: &GeneralPurpose) -> String {
        let encoded = engine.encode(payload);
        let signature = hmac::sign(&proof::key(&secret.into()), encoded.as_bytes());
        format!("{}.{encoded}", engine.encode(signature))
    }

    fn payload(algorithm: &str) -> String {
        json!({"algorithm": algorithm, "issued_at": 1_795_000_000, "user_id": "218471"}).to_string()
    }

    fn secrets() -> [SecretString; 2] {
        ["new-secret".into(), "old-secret".into()]
    }

    #[test]
    fn padded_and_unpadded_are_good_with_either_secret_and_any_case_of_the_algorithm() {
        for engine in [&URL_SAFE, &URL_SAFE_NO_PAD] {
            for (index, secret) in ["new-secret", "old-secret"].into_iter().enumerate() {
                for algorithm in ["HMAC-SHA256", "hmac-sha256"] {
                    let request = verify(&sign(&payload(algorithm), secret, engine), &secrets()).unwrap();
                    assert_eq!(
                        (request.user_id.as_deref(), request.issued_at),
                        (Some("218471"), Some(1_795_000_000))
                    );
                    assert_eq!(request.secret_index, index);
                }
            }
        }
    }

    // Made with `openssl dgst -sha256 -hmac app-secret -binary | basenc --base64url`.
    #[test]
    fn a_request_signed_by_another_implementation_is_good() {
        let signed = "-ZTl2Hexz9idr7wNxd6V0LPY-8t8SufEWwBx0jjMT6k.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTc5NTAwMDAwMCwidXNlcl9pZCI6NDJ9";
        let request = verify(signed, &["app-secret".into()]).unwrap();
        assert_eq!(request.user_id.as_deref(), Some("42"));
    }

    #[test]
    fn everything_else_is_refused() {
        use SignedRequestError::{Algorithm, Malformed, Signature, TooLong};
        let good = sign(&payload("HMAC-SHA256"), "new-secret", &URL_SAFE_NO_PAD);
        let (signature, encoded) = good.split_once('.').unwrap();
        let other = sign(&payload("HMAC-SHA256"), "another-secret", &URL_SAFE_NO_PAD);
        let swapped = format!(
            "{signature}.{}",
            URL_SAFE_NO_PAD.encode(payload("HMAC-SHA256").replace("218471", "218472"))
        );
        let cases = [
            (String::new(), Malformed),
            (".".to_owned(), Malformed),
            (encoded.to_owned(), Malformed),
            (format!("{good}."), Malformed),
            (format!("{good}.x"), Malformed),
            (format!("!{good}"), Malformed),
            (format!("{signature}.{}", URL_SAFE_NO_PAD.encode("no json")), Malformed),
            (sign(&payload("none"), "new-secret", &URL_SAFE), Algorithm),
            (sign("{}", "new-secret", &URL_SAFE), Algorithm),
            (sign("[]", "new-secret", &URL_SAFE), Algorithm),
            (format!(".{encoded}"), Signature),
            (format!("{}.{encoded}", &signature[..20]), Signature),
            (swapped, Signature),
            (other, Signature),
            (format!("{good}{}", "A".repeat(MAX_LENGTH)), TooLong),
        ];
        for (request, expected) in cases {
            assert_eq!(verify(&request, &secrets()), Err(expected), "{request}");
        }
        assert_eq!(verify(&good, []), Err(Signature));
    }

    proptest! {
        #[test]
        fn it_never_panics_and_believes_nothing_unsigned(
            text: String,
            shaped in "[A-Za-z0-9_=-]{0,60}\\.[A-Za-z0-9_=-]{0,200}",
            json in r#"\{"(algorithm|user_id|issued_at)":("HMAC-SHA256"|"[^"\\]{0,12}"|-?[0-9]{1,25}|null|\[\])(,"user_id":("[^"\\]{0,12}"|-?[0-9]{1,25}))?\}"#,
        ) {
            prop_assert!(verify(&text, &secrets()).is_err());
            prop_assert!(verify(&shaped, &secrets()).is_err());
            prop_assert!(verify(&sign(&json, "a-third-secret", &URL_SAFE_NO_PAD), &secrets()).is_err());
            for payload in [json, text] {
                let _ = verify(&sign(&payload, "new-secret", &URL_SAFE_NO_PAD), &secrets());
            }
        }

        #[test]
        fn a_changed_byte_breaks_it(at in 0_usize..150, to in "[A-Za-z0-9_-]") {
            let good = sign(&payload("HMAC-SHA256"), "new-secret", &URL_SAFE_NO_PAD);
            let mut changed = good.clone();
            let at = at % good.len();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != good);
            prop_assert!(verify(&changed, &secrets()).is_err());
        }
    }
}
