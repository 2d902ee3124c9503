//! Lead forms: found on every Page, swept for what no webhook announced, and counted.

use crate::service::{App, Result};

/// Does what is due now. True when there is more to do at once.
pub async fn step(_app: &App) -> Result<bool> {
    Ok(false)
}
