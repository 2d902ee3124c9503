//! Webhooks from Meta: stored as they come, then sorted into leads and events.

use crate::service::{App, Result};

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
