//! Webhooks from Meta: stored as they come, then sorted into leads and events.

use aws_lc_rs::hmac;
use secrecy::ExposeSecret as _;

use crate::service::{App, Result, setup};

/// What the verify token is derived from, beside the app's secret.
const LABEL: &[u8] = b"adjoin: verify token of webhooks";

/// The token by which Meta and we know that a subscription is ours. It follows from the app's secret, so that there is
/// nothing to store; Meta shows it when a subscription is made and never again.
pub async fn verify_token(app: &App) -> Result<String> {
    let credentials = setup::credentials(app).await?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials.app.secret.expose_secret().as_bytes());
    let tag = hmac::sign(&key, LABEL);
    Ok(tag.as_ref()[..20].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
