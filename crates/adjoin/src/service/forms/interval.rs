//! How often a form is swept: often while leads come, seldom while it is quiet, less while Meta's limit is near.

/// A form is swept at least so often, in seconds.
pub const SELDOM: i64 = 60 * 60;
/// And at most so often.
pub const OFTEN: i64 = 60;
/// Where a form begins.
const START: i64 = 5 * 60;
/// Percent of Meta's limit for leads from which on sweeps become rarer.
const NEARLY_USED_UP: f64 = 75.0;

/// Seconds from a pass to the next, from those before it: `fresh` leads were submitted since the pass before, and so many
/// percent of the limit were used.
pub fn next(before: i64, fresh: i64, usage_percent: Option<f64>) -> i64 {
    let before = if before <= 0 { START } else { before.clamp(OFTEN, SELDOM) };
    let next = if usage_percent.is_some_and(|used| used > NEARLY_USED_UP) {
        before * 2
    } else if fresh > 0 {
        before / 2
    } else {
        before + before / 2
    };
    next.clamp(OFTEN, SELDOM)
}

/// Seconds until the next try after so many failures in a row.
pub fn backoff(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(0, 6)).unwrap_or(0);
    (OFTEN << doublings).min(SELDOM)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(before in any::<i64>(), fresh in any::<i64>(), used in proptest::option::of(any::<f64>())) {
            let next = next(before, fresh, used);
            prop_assert!((OFTEN..=SELDOM).contains(&next));
        }

        #[test]
        fn leads_make_it_more_frequent_and_quiet_makes_it_rarer(before in OFTEN..=SELDOM, fresh in 1_i64..10_000, used in 0.0..=75.0_f64) {
            prop_assert!(next(before, fresh, Some(used)) <= before);
            prop_assert!(next(before, 0, Some(used)) >= before);
            prop_assert!(next(before, fresh, None) <= next(before, 0, None));
        }

        #[test]
        fn near_the_limit_it_never_becomes_more_frequent(before in OFTEN..=SELDOM, fresh in 0_i64..10_000, used in 75.1..=1000.0_f64) {
            prop_assert!(next(before, fresh, Some(used)) >= before);
            prop_assert!(next(before, fresh, Some(used)) >= next(before, fresh, Some(0.0)));
        }

        #[test]
        fn it_settles_at_a_minute_under_load_and_at_an_hour_in_silence(before in any::<i64>()) {
            let (mut busy, mut quiet) = (before, before);
            for _ in 0..16 {
                (busy, quiet) = (next(busy, 1, None), next(quiet, 0, None));
            }
            prop_assert_eq!((busy, quiet), (OFTEN, SELDOM));
        }

        #[test]
        fn failures_wait_longer_each_time(failures in any::<i64>()) {
            prop_assert!((OFTEN..=SELDOM).contains(&backoff(failures)));
            prop_assert!(backoff(failures.saturating_add(1)) >= backoff(failures));
        }
    }
}
