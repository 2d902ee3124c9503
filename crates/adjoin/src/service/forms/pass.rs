//! The rules of the watermark: where a pass begins, and what it leaves behind. Nothing here asks anybody.

use super::{Done, KEPT_DAYS, Pass, PassKind, Sweep, SweepTrouble, interval};
use crate::{service::leads::Fields, time::Timestamp};

/// How far before the watermark a pass begins, in seconds: Meta shows leads with a delay, and not in their order.
pub const OVERLAP: i64 = 10 * 60;
const HOUR: i64 = 60 * 60;
pub const DAY: i64 = 24 * HOUR;
const DAILY_READS: i64 = 48 * HOUR;

impl Sweep {
    /// The sweep of a form that was just found: all that Meta keeps is read first.
    pub fn of_new_form() -> Self {
        Self { backfill_days: Some(KEPT_DAYS), ..Self::default() }
    }

    /// Begins the pass that is due, or goes on with the one that was cut off.
    pub fn begin(&mut self, watermark: Option<Timestamp>, now: Timestamp) -> &mut Pass {
        let asked = self.backfill_days.take();
        // A pass under way is finished first, unless a backfill was asked for: that reads anew.
        if let (None, Some(_)) = (asked, &self.pass) {
            return self.pass.as_mut().expect("it is there");
        }
        // What is due in more than its span was planned by a clock that was ahead.
        let due =
            |at: Option<Timestamp>, span: i64| at.is_none_or(|at| at <= now || at > now.plus_seconds(span));
        let (kind, seconds) = match asked {
            Some(days) => (PassKind::Backfill, days.clamp(1, KEPT_DAYS) * DAY),
            None if due(self.weekly_at, 7 * DAY) => (PassKind::Weekly, KEPT_DAYS * DAY),
            None if due(self.daily_at, DAY) => (PassKind::Daily, DAILY_READS),
            None => (PassKind::Regular, 0),
        };
        let window = now.plus_seconds(-seconds);
        let since = match watermark {
            _ if kind == PassKind::Backfill => window,
            // Nothing committed yet: whatever there may be.
            None => now.plus_seconds(-KEPT_DAYS * DAY),
            // Never later than the watermark asks for, however long nobody swept.
            Some(watermark) => window.min(watermark.plus_seconds(-OVERLAP)),
        };
        self.pass.insert(Pass {
            kind,
            since,
            started_at: now,
            newest: None,
            read: 0,
            new: 0,
            fresh: 0,
            cursor: None,
            fields: Fields::All,
        })
    }

    /// Ends the pass: everything after its beginning is committed. Answers where the watermark now stands and how many
    /// seconds the next pass waits.
    pub fn complete(
        &mut self,
        watermark: Option<Timestamp>,
        usage_percent: Option<f64>,
        now: Timestamp,
    ) -> (Option<Timestamp>, i64) {
        self.trouble = None;
        let Some(pass) = self.pass.take() else {
            return (watermark, self.every_seconds.max(interval::OFTEN));
        };
        if matches!(pass.kind, PassKind::Weekly) || pass.reads_all() {
            self.weekly_at = Some(now.plus_seconds(7 * DAY));
            self.daily_at = Some(now.plus_seconds(DAY));
        } else if pass.kind == PassKind::Daily {
            self.daily_at = Some(now.plus_seconds(DAY));
        }
        self.every_seconds = interval::next(self.every_seconds, pass.fresh, usage_percent);
        // A lead from the future would keep those of the present from being read.
        let newest = pass.newest.map(|newest| newest.min(now));
        let moved = if pass.closes_on(watermark) { watermark.max(newest) } else { watermark };
        let done = Done {
            kind: pass.kind,
            since: pass.since,
            started_at: pass.started_at,
            finished_at: now,
            read: pass.read,
            new: pass.new,
        };
        if pass.reads_all() {
            self.last_whole = Some(done.clone());
        }
        self.last = Some(done);
        (moved, self.every_seconds)
    }

    /// Takes note that a try failed; answers how many did in a row.
    pub fn fail(&mut self, trouble: SweepTrouble) -> i64 {
        let before = self.trouble.take();
        let failures = before.as_ref().map_or(0, |known| known.failures) + 1;
        let since = before.map_or(trouble.since, |known| known.since);
        self.trouble = Some(SweepTrouble { since, failures, ..trouble });
        failures
    }
}

impl Pass {
    /// Takes note of a lead that was committed.
    pub fn saw(&mut self, submitted_at: Option<Timestamp>, is_new: bool, watermark: Option<Timestamp>) {
        self.read += 1;
        self.new += i64::from(is_new);
        self.fresh += i64::from(submitted_at.is_some_and(|at| watermark.is_none_or(|mark| at > mark)));
        self.newest = self.newest.max(submitted_at);
    }

    fn reads_all(&self) -> bool {
        self.since <= self.started_at.plus_seconds(-KEPT_DAYS * DAY)
    }

    /// Whether this pass leaves no gap above the watermark: a backfill of a short window may begin after it.
    fn closes_on(&self, watermark: Option<Timestamp>) -> bool {
        match watermark {
            Some(watermark) => self.since <= watermark.plus_seconds(-OVERLAP) || self.reads_all(),
            None => self.reads_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_795_514_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(NOW + seconds)
    }

    fn ran(
        sweep: &mut Sweep,
        watermark: Option<Timestamp>,
        seen: &[i64],
        now: i64,
    ) -> (Pass, Option<Timestamp>) {
        let pass = sweep.begin(watermark, at(now));
        for &lead in seen {
            pass.saw(Some(at(lead)), true, watermark);
        }
        let pass = pass.clone();
        (pass, sweep.complete(watermark, None, at(now)).0)
    }

    #[test]
    fn a_new_form_is_read_whole_then_from_before_the_watermark_then_daily_and_weekly() {
        let mut sweep = Sweep::of_new_form();
        let (pass, mark) = ran(&mut sweep, None, &[-100, -50], 0);
        assert_eq!((pass.kind, pass.since, mark), (PassKind::Backfill, at(-KEPT_DAYS * DAY), Some(at(-50))));
        let (pass, mark) = ran(&mut sweep, mark, &[], 60);
        assert_eq!((pass.kind, pass.since, mark), (PassKind::Regular, at(-50 - OVERLAP), Some(at(-50))));
        let (pass, _) = ran(&mut sweep, mark, &[], DAY);
        assert_eq!((pass.kind, pass.since), (PassKind::Daily, at(-DAY)));
        let (pass, _) = ran(&mut sweep, mark, &[], 7 * DAY);
        assert_eq!((pass.kind, pass.since), (PassKind::Weekly, at((7 - KEPT_DAYS) * DAY)));
    }

    #[test]
    fn a_daily_pass_after_a_long_pause_reads_from_the_watermark() {
        let mut sweep = Sweep { weekly_at: Some(at(DAY)), ..Sweep::default() };
        let (pass, _) = ran(&mut sweep, Some(at(-5 * DAY)), &[], 0);
        assert_eq!((pass.kind, pass.since), (PassKind::Daily, at(-5 * DAY - OVERLAP)));
    }

    #[test]
    fn a_short_backfill_does_not_move_the_watermark_over_what_was_not_read() {
        let mut sweep = Sweep { backfill_days: Some(1), ..Sweep::default() };
        assert_eq!(ran(&mut sweep, None, &[-60], 0).1, None);
        sweep.backfill_days = Some(1);
        assert_eq!(ran(&mut sweep, Some(at(-3 * DAY)), &[-60], 0).1, Some(at(-3 * DAY)));
        sweep.backfill_days = Some(1);
        assert_eq!(ran(&mut sweep, Some(at(-3600)), &[-60], 0).1, Some(at(-60)));
    }

    #[test]
    fn a_pass_that_was_cut_off_goes_on_and_a_backfill_begins_anew() {
        let mut sweep = Sweep { weekly_at: Some(at(DAY)), daily_at: Some(at(DAY)), ..Sweep::default() };
        sweep.begin(Some(at(-60)), at(0)).cursor = Some("c".to_owned());
        assert_eq!(sweep.begin(Some(at(-60)), at(60)).cursor.as_deref(), Some("c"));
        sweep.backfill_days = Some(7);
        let pass = sweep.begin(Some(at(-60)), at(60));
        assert_eq!((pass.kind, pass.cursor.as_deref()), (PassKind::Backfill, None));
    }

    #[test]
    fn clocks_that_are_set_back_and_leads_from_the_future_keep_nothing_from_being_read() {
        let mut sweep = Sweep::of_new_form();
        let (_, mark) = ran(&mut sweep, None, &[-60, 30 * DAY], 0);
        assert_eq!(mark, Some(at(0)));
        ran(&mut sweep, mark, &[], 400 * DAY);
        // Back again.
        let (pass, _) = ran(&mut sweep, mark, &[], 60);
        assert_eq!(pass.kind, PassKind::Weekly);
        let (pass, _) = ran(&mut sweep, mark, &[], 120);
        assert_eq!((pass.kind, pass.since), (PassKind::Regular, at(-OVERLAP)));
    }

    #[test]
    fn failures_are_counted_from_the_first() {
        let trouble = |since: i64| SweepTrouble {
            message: String::new(),
            who: crate::service::Who::Meta,
            next_step: String::new(),
            since: at(since),
            failures: 0,
        };
        let mut sweep = Sweep::default();
        assert_eq!((sweep.fail(trouble(0)), sweep.fail(trouble(60))), (1, 2));
        assert_eq!(sweep.trouble.as_ref().unwrap().since, at(0));
        sweep.begin(None, at(120));
        sweep.complete(None, None, at(120));
        assert_eq!(sweep.trouble, None);
    }

    proptest! {
        /// Whatever comes in between (cut-off passes, backfills of any length, pauses of days), a lead that Meta shows
        /// within the overlap after it was submitted is committed by the next completed pass or still ahead of it: never
        /// below the watermark and unread.
        #[test]
        fn no_lead_is_ever_below_the_watermark_and_unread(
            steps in proptest::collection::vec((1_i64..3 * DAY, 0_u8..6, 1_i64..=90), 1..60),
            leads in proptest::collection::vec((0_i64..60 * DAY, 0_i64..OVERLAP), 0..60),
        ) {
            let mut sweep = Sweep::of_new_form();
            let (mut watermark, mut committed) = (None::<Timestamp>, std::collections::BTreeSet::new());
            let mut now = 0;
            let mut rest = Vec::new();
            for (wait, what, days) in steps {
                now += wait;
                if what == 0 {
                    sweep.backfill_days = Some(days);
                }
                let pass = sweep.begin(watermark, at(now));
                let since = pass.since;
                // A pass reads what is shown by now, or goes on with what it had not read when it was cut off.
                if pass.cursor.is_none() {
                    rest = (0..leads.len())
                        .filter(|&it| leads[it].0 + leads[it].1 <= now && at(leads[it].0) >= since)
                        .collect();
                    rest.sort_by_key(|&it| leads[it].0);
                }
                let cut_off = what == 1;
                // The newest come first.
                let read = rest.split_off(if cut_off { rest.len() / 2 } else { 0 });
                for index in read {
                    let is_new = committed.insert(index);
                    pass.saw(Some(at(leads[index].0)), is_new, watermark);
                }
                if cut_off {
                    pass.cursor = Some("further".to_owned());
                } else {
                    let before = watermark;
                    watermark = sweep.complete(watermark, None, at(now)).0;
                    prop_assert!(watermark >= before);
                }
                let Some(mark) = watermark else { continue };
                for (index, (lead, _)) in leads.iter().enumerate() {
                    prop_assert!(
                        committed.contains(&index) || at(*lead) > mark.plus_seconds(-OVERLAP),
                        "{lead} is unread below {mark}"
                    );
                }
            }
        }
    }
}
