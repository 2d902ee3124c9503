use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    service::{Who, leads::Fields},
    time::Timestamp,
};

/// What Meta says that a form holds. What counts as what is not documented; whether test leads are counted neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `leads_count`
    pub leads: Option<i64>,
    /// `organic_leads_count`
    pub organic: Option<i64>,
    /// `expired_leads_count`
    pub expired: Option<i64>,
}

impl Counts {
    /// At least so many are missing when so many are here; `None` when Meta has told no count.
    pub fn missing(&self, here: i64) -> Option<i64> {
        self.leads.map(|leads| (leads - self.expired.unwrap_or(0) - here).max(0))
    }
}

/// How far the sweep of a form is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sweep {
    /// Seconds from pass to pass, as they are now; 0 before the first.
    pub every_seconds: i64,
    /// A backfill that was asked for and has not begun.
    pub backfill_days: Option<i64>,
    /// The pass under way, or one that was cut off and goes on where it was.
    pub pass: Option<Pass>,
    /// When the last 48 hours are read again.
    pub daily_at: Option<Timestamp>,
    /// When all that Meta keeps is read again.
    pub weekly_at: Option<Timestamp>,
    pub last: Option<Done>,
    /// Why the last try failed.
    pub trouble: Option<SweepTrouble>,
}

/// How deep a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PassKind {
    /// From a little before the watermark.
    Regular,
    /// The last 48 hours, daily.
    Daily,
    /// All that Meta keeps, weekly.
    Weekly,
    /// A window: for a new form, or because somebody asked.
    Backfill,
}

/// One reading of a form's leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub kind: PassKind,
    /// Leads submitted after this are read.
    pub since: Timestamp,
    pub started_at: Timestamp,
    /// When the newest lead of this pass was submitted.
    pub newest: Option<Timestamp>,
    pub read: i64,
    /// Leads that were not known here.
    pub new: i64,
    /// Leads submitted after the watermark.
    pub fresh: i64,
    /// Where the next page begins; Meta's, and only good for a while.
    pub cursor: Option<String>,
    /// What is asked for: less after Meta refused more.
    #[serde(default)]
    pub fields: Fields,
}

/// A pass that was completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    pub kind: PassKind,
    /// Leads submitted after this were read.
    pub since: Timestamp,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// Leads that Meta showed.
    pub read: i64,
    /// Leads among them that were not known here.
    pub new: i64,
}

/// Why a sweep failed, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SweepTrouble {
    pub message: String,
    pub who: Who,
    pub next_step: String,
    pub since: Timestamp,
    /// Tries in a row that failed.
    pub failures: i64,
}
