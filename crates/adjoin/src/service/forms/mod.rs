//! Lead forms: found on every Page, swept for what no webhook announced, and counted.
//!
//! The webhook is the accelerator, the sweep is the truth. Each form has a watermark, the moment at which the newest lead
//! that is committed here was submitted. A pass reads from a little before it to the end, page by page, each page
//! committed; only a pass that was completed moves the watermark. Deeper passes find what Meta showed late.

mod content;
mod interval;
mod listing;
mod pass;
mod state;
mod sweep;
mod view;

use super::{App, Result};
use crate::{
    id::ConnectionId,
    store::{Tx, forms as table},
    time::Timestamp,
};

pub(super) use listing::make_known;
pub use state::{Counts, Done, Known, Missing, Pass, PassKind, Sweep, SweepTrouble};
pub use view::{
    Completeness, Form, FormDetail, FormVersion, Forms, SweepView, Totals, backfill, get, list, list_soon,
    sweep_all,
};

/// How long Meta keeps leads, in days. Widely reported; its developer pages do not state it.
pub const KEPT_DAYS: i64 = 90;

/// Does what is due now. True when there is more to do at once.
pub async fn step(app: &App) -> Result<bool> {
    let listed = listing::step(app).await?;
    let swept = sweep::step(app).await?;
    Ok(listed || swept)
}

/// Makes the forms of a connection due: its token works again.
pub async fn resume(tx: &mut Tx, connection: &ConnectionId, now: Timestamp) -> Result<()> {
    table::sweep_connection(tx, connection, now).await?;
    Ok(())
}
