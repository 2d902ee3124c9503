//! `X-Hub-Signature-256`: shows that a webhook comes from Meta.
//!
//! Source: graph-api/webhooks/getting-started, "Validating payloads".

use aws_lc_rs::hmac;
use secrecy::SecretString;

use crate::proof;

/// The header's name.
pub const HEADER: &str = "x-hub-signature-256";

/// Why a webhook is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSignatureError {
    #[error("the X-Hub-Signature-256 header is not 'sha256=' and 64 hex digits")]
    Malformed,
    #[error("the webhook was not signed with a secret of this app")]
    Signature,
}

/// Checks the header's value against the raw body (as it came: parsing and writing it anew changes its bytes) with
/// each of `secrets`, in constant time. Returns which of them signed it.
pub fn verify<'a>(
    header: &str,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a SecretString>,
) -> Result<usize, WebhookSignatureError> {
    let digits = header.strip_prefix("sha256=").ok_or(WebhookSignatureError::Malformed)?;
    let signature = unhex(digits).ok_or(WebhookSignatureError::Malformed)?;
    secrets
        .into_iter()
        .position(|secret| hmac::verify(&proof::key(secret), body, &signature).is_ok())
        .ok_or(WebhookSignatureError::Signature)
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"object":"page","entry":[]}"#;

    // Made with `printf '%s' BODY | openssl dgst -sha256 -hmac SECRET`.
    const SIGNED: &str = "sha256=e6e9d7a842a48e17f43a34d6125d0d933e2aab92ee37f0993a4d493b50e3d438";

    #[test]
    fn the_raw_body_is_checked_with_each_secret() {
        let (new, old) = (SecretString::from("new-secret"), SecretString::from("app-secret"));
        assert_eq!(verify(SIGNED, BODY, [&new, &old]), Ok(1));
        assert_eq!(verify(&SIGNED.to_uppercase().replace("SHA256", "sha256"), BODY, [&old]), Ok(0));
        let refused = Err(WebhookSignatureError::Signature);
        assert_eq!(verify(SIGNED, BODY, [&new]), refused);
        assert_eq!(verify(SIGNED, br#"{"object": "page","entry":[]}"#, [&old]), refused);
        assert_eq!(verify(SIGNED, BODY, []), refused);
        for malformed in ["", "sha256=", "sha1=00", &SIGNED[7..], &SIGNED[..70], &format!("{SIGNED}0")] {
            assert_eq!(verify(malformed, BODY, [&old]), Err(WebhookSignatureError::Malformed), "{malformed}");
        }
        assert_eq!(verify(&SIGNED.replace('0', "g"), BODY, [&old]), Err(WebhookSignatureError::Malformed));
    }

    proptest! {
        #[test]
        fn it_never_panics_and_believes_nothing_unsigned(header: String, digits in "sha256=[0-9a-fA-F]{64}", body: Vec<u8>) {
            let secret = SecretString::from("app-secret");
            prop_assert!(verify(&header, &body, [&secret]).is_err());
            prop_assert!(verify(&digits, &body, [&secret]).is_err());
        }
    }
}
