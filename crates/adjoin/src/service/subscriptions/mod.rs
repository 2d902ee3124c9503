//! Subscriptions to Meta's webhooks: made, checked and mended, for the app and for each Page and ad account.

use crate::service::{App, Result};

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
