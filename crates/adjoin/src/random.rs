//! Secrets from the system's random source, and how we keep them: hashed.

use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

/// Random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    // The system's source does not fail once it has started; a process that cannot have randomness must not run on.
    rand::fill(&mut buffer).expect("the system's random source answers");
    buffer
}

/// Somewhere in `0.0..=1.0`, to spread waits.
pub fn share() -> f64 {
    f64::from(u32::from_le_bytes(bytes())) / f64::from(u32::MAX)
}

/// A fresh secret of 256 bits as URL-safe text, after a prefix that tells people and scanners what it is.
pub fn token(prefix: &str) -> SecretString {
    SecretString::from(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<32>())))
}

/// SHA-256 of a secret: what the database holds in its place. The secrets have 256 bits, so no salt is needed.
pub fn hash(secret: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// Compares without telling by its time where the difference is.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
