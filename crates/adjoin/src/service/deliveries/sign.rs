//! Standard Webhooks 1.0.0, symmetric: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{random, time::Timestamp};

const PREFIX: &str = "whsec_";

/// A signing secret of an endpoint, as it is sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret {
    /// `whsec_` and the base64 of 32 random bytes.
    secret: String,
    /// None for the newest; one before it ends some time after it was replaced.
    expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(until {:?})", self.expires_at)
    }
}

/// The secrets of an endpoint, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// A first secret.
    pub fn new() -> Self {
        Self(vec![Secret::new()])
    }

    /// What is shown to the one who asked for it, this once.
    pub fn newest(&self) -> SecretString {
        self.0.first().map(|it| it.secret.clone()).unwrap_or_default().into()
    }

    /// Puts a new secret before the others, which end at this moment.
    pub fn rotate(&mut self, now: Timestamp, end: Timestamp) {
        self.0.retain(|it| it.is_live(now));
        for it in &mut self.0 {
            it.expires_at = Some(it.expires_at.map_or(end, |at| at.min(end)));
        }
        self.0.insert(0, Secret::new());
        self.0.truncate(SECRETS_MAX);
    }

    /// The header `webhook-signature`: one signature for each live secret.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8], now: Timestamp) -> String {
        let live = self.0.iter().filter(|it| it.is_live(now));
        live.map(|it| it.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
    }
}

/// Most secrets an endpoint signs with.
const SECRETS_MAX: usize = 4;

impl Secret {
    fn new() -> Self {
        Self { secret: format!("{PREFIX}{}", STANDARD.encode(random::bytes::<32>())), expires_at: None }
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // We wrote the secret ourselves; one that is no base64 would have been altered, and then it would not have opened.
        let key = STANDARD.decode(self.secret.trim_start_matches(PREFIX)).unwrap_or_default();
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl From<&Secrets> for SecretString {
    fn from(secrets: &Secrets) -> Self {
        serde_json::to_string(secrets).unwrap_or_default().into()
    }
}

impl TryFrom<SecretString> for Secrets {
    type Error = serde_json::Error;

    fn try_from(text: SecretString) -> Result<Self, Self::Error> {
        serde_json::from_str(text.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_649_367_553;

    fn of(secrets: &[(&str, Option<i64>)]) -> Secrets {
        let secret = |(text, until): &(&str, Option<i64>)| Secret {
            secret: (*text).to_owned(),
            expires_at: until.map(Timestamp::from_unix),
        };
        Secrets(secrets.iter().map(secret).collect())
    }

    /// The vector of the published libraries' tests.
    #[test]
    fn it_signs_as_the_published_vector() {
        let secrets = of(&[("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", None)]);
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = secrets.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", NOW, body, Timestamp::from_unix(NOW));
        assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn it_signs_as_the_published_library() {
        let secrets = Secrets::new();
        let oracle = standardwebhooks::Webhook::new(secrets.newest().expose_secret()).unwrap();
        for body in ["", "{}", "ä€😀", &"x".repeat(100_000)] {
            let signed = secrets.sign("evt_1", NOW, body.as_bytes(), Timestamp::from_unix(NOW));
            assert_eq!(signed, oracle.sign("evt_1", NOW, body.as_bytes()).unwrap());
        }
    }

    #[test]
    fn a_rotation_signs_with_both_until_the_old_one_ends() {
        let now = Timestamp::from_unix(NOW);
        let mut secrets = Secrets::new();
        let old = secrets.newest();
        secrets.rotate(now, now.plus_seconds(60));
        assert_ne!(secrets.newest().expose_secret(), old.expose_secret());
        let count = |at: Timestamp| secrets.sign("evt_1", NOW, b"{}", at).split(' ').count();
        assert_eq!((count(now), count(now.plus_seconds(59)), count(now.plus_seconds(60))), (2, 2, 1));
        let mut often = secrets.clone();
        for _ in 0..10 {
            often.rotate(now, now.plus_seconds(60));
        }
        assert_eq!(often.0.len(), SECRETS_MAX);
        let read = Secrets::try_from(SecretString::from(&secrets)).unwrap();
        assert_eq!(read.newest().expose_secret(), secrets.newest().expose_secret());
        assert!(!format!("{secrets:?}").contains("whsec_"));
    }
}
