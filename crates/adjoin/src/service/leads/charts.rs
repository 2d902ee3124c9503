//! Leads a day, and how old they were when they were delivered.

use crate::{
    id::AccountId,
    service::{App, Result},
    store::lead_charts::{self as table, Bucket},
    time::Timestamp,
};

/// How many days the charts show, today with them.
pub const DAYS: usize = 30;
const DAY_MILLIS: i64 = 86_400_000;

/// One day, UTC, by when the leads were submitted. Test leads do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// When it began.
    pub start: Timestamp,
    pub leads: i64,
    /// Those whose age at delivery is known: delivered, and not there before the account was connected.
    pub measured: i64,
    /// Milliseconds from submission to delivery that half of the measured leads kept to, exact to about 3 %.
    pub p50: Option<i64>,
    /// The same for 99 of 100.
    pub p99: Option<i64>,
}

/// The last [`DAYS`] days, oldest first; of one account or of all.
pub async fn charts(app: &App, account: Option<&AccountId>) -> Result<Vec<Day>> {
    let today = app.clock.now().millis().div_euclid(DAY_MILLIS);
    let days = i64::try_from(DAYS).unwrap_or(30);
    let first = today - days + 1;
    let buckets = table::by_day_and_age(&app.db, account, Timestamp::from_millis(first * DAY_MILLIS)).await?;
    Ok((first..=today).map(|day| of_day(day, &buckets)).collect())
}

fn of_day(day: i64, buckets: &[Bucket]) -> Day {
    let of_day = || buckets.iter().filter(|it| it.day == day);
    let mut ages: Vec<(i64, i64)> = of_day().filter_map(|it| Some((it.age?.max(0), it.count))).collect();
    ages.sort_unstable();
    Day {
        start: Timestamp::from_millis(day * DAY_MILLIS),
        leads: of_day().map(|it| it.count).sum(),
        measured: ages.iter().map(|(_, count)| count).sum(),
        p50: percentile(&ages, 50),
        p99: percentile(&ages, 99),
    }
}

/// By nearest rank: the smallest age that so many of a hundred keep to. The ages come in order.
fn percentile(ages: &[(i64, i64)], of_hundred: i64) -> Option<i64> {
    let all: i64 = ages.iter().map(|(_, count)| count).sum();
    let rank = (all * of_hundred + 99) / 100;
    let mut passed = 0;
    ages.iter().find_map(|(age, count)| {
        passed += count;
        (passed >= rank).then_some(*age)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[(7, 1)], 50), Some(7));
        assert_eq!(percentile(&[(7, 1)], 99), Some(7));
        let ages = [(10, 50), (20, 48), (900, 2)];
        assert_eq!(
            (percentile(&ages, 50), percentile(&ages, 98), percentile(&ages, 99)),
            (Some(10), Some(20), Some(900))
        );
    }

    #[test]
    fn a_day_counts_all_and_measures_what_was_delivered() {
        let bucket = |day, age, count| Bucket { day, age, count };
        let buckets =
            [bucket(3, None, 4), bucket(3, Some(-20), 1), bucket(3, Some(500), 1), bucket(4, Some(9), 1)];
        let day = of_day(3, &buckets);
        assert_eq!((day.leads, day.measured, day.p50, day.p99), (6, 2, Some(0), Some(500)));
        assert_eq!(of_day(5, &buckets).leads, 0);
    }
}
