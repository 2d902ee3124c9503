use aws_lc_rs::hmac;

/// The header by which a webhook proves that it comes from whoever knows the app secret.
pub const SIGNATURE: &str = "x-hub-signature-256";
/// The one of old, which is still sent.
pub(super) const LEGACY_SIGNATURE: &str = "x-hub-signature";

/// The value of [`SIGNATURE`] for a body, as it goes over the wire.
pub fn signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", sign(hmac::HMAC_SHA256, secret, body))
}

pub(super) fn legacy_signature(secret: &str, body: &[u8]) -> String {
    format!("sha1={}", sign(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, body))
}

fn sign(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    crate::hex::hex(hmac::sign(&key, body).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_lower_hex() {
        // RFC 4231, test case 2, and RFC 2202, test case 2.
        let body = b"what do ya want for nothing?";
        assert_eq!(
            signature("Jefe", body),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(legacy_signature("Jefe", body), "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
}
