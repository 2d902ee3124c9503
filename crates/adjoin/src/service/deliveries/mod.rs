//! Deliveries: events on their way to the partner's endpoints, signed, retried, replayable.

use crate::service::{App, Result};

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
