//! Leads: form submissions, each by Meta's id, from the first sighting to its delivery.

use crate::service::{App, Result};

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
