use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

/// What Meta posts (as the form field `signed_request`) to an app's deauthorize and data-deletion callbacks. The
/// signature covers the encoded payload; the payload names no app. Source: data-deletion-callback.
pub fn signed_request(secret: &str, user_id: &str, now: i64) -> String {
    let payload = json!({ "user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": now });
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, payload.as_bytes()));
    format!("{signature}.{payload}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_the_encoded_payload() {
        let signed = signed_request("secret", "42", 1_700_000_000);
        let (signature, payload) = signed.split_once('.').unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        hmac::verify(&key, payload.as_bytes(), &signature).unwrap();
        let payload: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!((&payload["user_id"], &payload["issued_at"]), (&json!("42"), &json!(1_700_000_000)));
    }
}
