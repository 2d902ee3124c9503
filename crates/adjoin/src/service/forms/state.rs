use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    service::{Who, leads::Fields},
    time::Timestamp,
};

/// What Meta says that a form holds. What counts as what is not documented; whether test leads are counted neither.
///
/// Nor whether `leads_count` holds those that have expired: both answers are reckoned with until a reading of all that Meta
/// shows of the form tells which one it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// `leads_count`
    pub leads: Option<i64>,
    /// `organic_leads_count`
    pub organic: Option<i64>,
    /// `expired_leads_count`
    pub expired: Option<i64>,
    /// Whether `leads` holds the expired ones; `None` while that is not known.
    #[serde(default)]
    pub with_expired: Option<bool>,
}

/// Leads that are known here among those that Meta may have counted: read, waiting, or erased unread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Sent in the 90 days before Meta counted.
    pub kept: i64,
    /// Those, and the ones of the day before: Meta does not document the hour at which a lead expires.
    pub perhaps_kept: i64,
}

/// How many leads Meta counts that are not known here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    pub at_least: i64,
    pub at_most: i64,
}

/// Fewer expired leads than this do not tell what `leads_count` holds: as many may be missing by chance.
const TELLING: i64 = 10;

impl Counts {
    /// How many are missing when so many are known here; `None` when Meta has told no count.
    pub fn missing(&self, known: Known) -> Option<Missing> {
        let leads = self.leads?;
        let unexpired = leads - self.expired.unwrap_or(0);
        let least = if self.with_expired == Some(false) { leads } else { unexpired };
        let most = if self.with_expired == Some(true) { unexpired } else { leads };
        Some(Missing { at_least: (least - known.perhaps_kept).max(0), at_most: (most - known.kept).max(0) })
    }

    /// Takes from the counts of before, or from how many leads Meta showed just now when all were read, what `leads` holds:
    /// the nearer of the two answers, where the other is far from it.
    pub fn learn(&mut self, before: &Self, shown: Option<i64>) {
        self.with_expired = before.with_expired;
        let (Some(leads), Some(expired), Some(shown)) = (self.leads, self.expired, shown) else { return };
        if expired < TELLING {
            return;
        }
        let (with, without) = ((leads - expired - shown).abs(), (leads - shown).abs());
        if with.max(without) >= 10 * with.min(without) {
            self.with_expired = Some(with < without);
        }
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
    /// The last one that read all that Meta keeps.
    pub last_whole: Option<Done>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(leads: i64, expired: i64) -> Counts {
        Counts { leads: Some(leads), expired: Some(expired), ..Counts::default() }
    }

    fn known(kept: i64, perhaps_kept: i64) -> Known {
        Known { kept, perhaps_kept }
    }

    #[test]
    fn what_is_missing_stands_between_the_two_things_that_metas_count_may_mean() {
        let missing = |counts: &Counts, known| {
            let it = counts.missing(known).unwrap();
            (it.at_least, it.at_most)
        };
        assert_eq!(missing(&counts(100, 0), known(97, 98)), (2, 3));
        // Sixty have expired: forty are left of the hundred, or the hundred are left.
        let mut old = counts(100, 60);
        assert_eq!(missing(&old, known(40, 40)), (0, 60));
        old.with_expired = Some(true);
        assert_eq!(missing(&old, known(38, 39)), (1, 2));
        old.with_expired = Some(false);
        assert_eq!(missing(&old, known(40, 40)), (60, 60));
        assert_eq!(Counts::default().missing(known(3, 3)), None);
    }

    #[test]
    fn a_reading_of_all_that_meta_shows_tells_what_its_count_holds() {
        let learnt = |leads, expired, shown| {
            let mut it = counts(leads, expired);
            it.learn(&Counts::default(), shown);
            it.with_expired
        };
        assert_eq!(learnt(100, 60, Some(40)), Some(true));
        assert_eq!(learnt(100, 60, Some(42)), Some(true));
        assert_eq!(learnt(100, 60, Some(98)), Some(false));
        // Neither is near, or few have expired, or nothing was read.
        assert_eq!(learnt(100, 60, Some(70)), None);
        assert_eq!(learnt(100, 9, Some(100)), None);
        assert_eq!(learnt(100, 60, None), None);
        let mut next = counts(100, 61);
        next.learn(&Counts { with_expired: Some(true), ..Counts::default() }, None);
        assert_eq!(next.with_expired, Some(true));
    }
}
