//! Webhooks from Meta: stored as they come, then sorted into leads and events.
//!
//! ```text
//! body -> signature -> one table -> 200        (ingest: no parsing, no call to Meta)
//!                          |
//!                        sort: each change -> lead | event | quarantine
//! ```

mod ingest;
mod payload;
mod quarantine;
mod sort;

use adjoin_graph::{
    hex,
    webhook_signature::{self, WebhookSignatureError},
};
use aws_lc_rs::{constant_time, hmac};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    service::{App, Result, setup},
    store::connectors::{self, FACEBOOK_MARKETING},
};

pub use ingest::{Intake, NotStored};
pub use quarantine::{
    Counted, Quarantined, Reason, counts, list, prune, quarantined_until, release, release_known,
};
pub use sort::step;

/// What the verify token is derived from, beside the app's secret.
const LABEL: &[u8] = b"adjoin: verify token of webhooks";

/// The token by which Meta and we know that a subscription is ours. It follows from the app's secret, so that there is
/// nothing to store.
pub async fn verify_token(app: &App) -> Result<String> {
    Ok(token_of(&setup::credentials(app).await?.app.secret))
}

fn token_of(secret: &SecretString) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    hex(&hmac::sign(&key, LABEL).as_ref()[..20])
}

/// Whether a challenge names our verify token.
pub async fn is_our_token(app: &App, given: &str) -> Result<bool> {
    let secrets = secrets(app).await?.unwrap_or_default();
    let same = |secret| {
        constant_time::verify_slices_are_equal(token_of(secret).as_bytes(), given.as_bytes()).is_ok()
    };
    Ok(secrets.iter().any(same))
}

/// Why a webhook is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be told whether Meta sent it.
    #[error("the connector is not set up")]
    NotSetUp,
    #[error(transparent)]
    Unsigned(#[from] WebhookSignatureError),
    #[error(transparent)]
    NotStored(#[from] NotStored),
    #[error(transparent)]
    Failed(#[from] crate::service::Error),
}

/// Believes a body by its signature and stores it. When this answers, it is on disk.
pub async fn take(app: &App, signature: &str, body: Vec<u8>) -> std::result::Result<(), Refused> {
    let secrets = secrets(app).await?.ok_or(Refused::NotSetUp)?;
    webhook_signature::verify(signature, &body, &secrets)?;
    app.intake.store(body, app.clock.now()).await?;
    app.wakes.sort.notify_one();
    Ok(())
}

/// The app's secret, and the one before while Meta may still sign with it. `None`: there is no setup.
pub(super) async fn secrets(app: &App) -> Result<Option<Vec<SecretString>>> {
    let now = app.clock.now();
    let read = async |(): &()| connectors::secrets(&app.db, FACEBOOK_MARKETING).await;
    let Some(row) = app.recent.app_secrets.get(&app.db, (), now, read).await? else {
        return Ok(None);
    };
    let place = connectors::client_secret_place(FACEBOOK_MARKETING);
    let mut secrets = vec![app.vault.open(&place, &row.client_secret_sealed).await?];
    if let Some(previous) = &row.previous_secret_sealed
        && row.previous_secret_until.is_some_and(|until| until > now)
    {
        let place = connectors::previous_secret_place(FACEBOOK_MARKETING);
        secrets.push(app.vault.open(&place, previous).await?);
    }
    Ok(Some(secrets))
}
