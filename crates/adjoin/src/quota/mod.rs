//! Meta's limits: how much room there is, as far as its answers tell, and which calls must wait.
//!
//! Calling on while blocked lengthens the block, and every refusal counts into the share of errors by which Meta
//! grants its Full access tier. So a call that Meta would throttle is not sent before its time. It is kept in memory:
//! a fresh process learns it from the first answer.

mod errors;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use adjoin_graph::{AccessTier, GraphRefusal, Usage};
use adjoin_marketing::errors::{Class, Explanation, Scope};

pub use errors::{ErrorShare, WARN_SHARE};

use crate::{id::ConnectionId, time::Timestamp};

/// What Meta counts calls for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Meter {
    /// The partner's Meta app: everybody waits.
    App,
    /// An ad account, by its number.
    AdAccount(String),
    /// One object that was changed too often.
    Object(String),
    /// Calls of one connection that name no ad account.
    Connection(ConnectionId),
}

/// What one call counts for: the app, and what it touches.
#[derive(Debug, Clone)]
pub struct Touched {
    pub ad_account: Option<String>,
    /// The object that a write changes.
    pub object: Option<String>,
    pub connection: ConnectionId,
}

impl Touched {
    /// What reading the leads of a Page counts for. Meta counts these calls by Page (lead-ads/retrieving), apart from
    /// those of its ad accounts, so a Page has a meter of its own; ids of Pages and ad accounts differ.
    pub fn page(page_id: &str, connection: &ConnectionId) -> Self {
        Self { ad_account: Some(page_id.to_owned()), object: None, connection: connection.clone() }
    }

    fn meters(&self) -> impl Iterator<Item = Meter> + '_ {
        let place = self
            .ad_account
            .as_ref()
            .map_or_else(|| Meter::Connection(self.connection.clone()), |id| Meter::AdAccount(id.clone()));
        [Meter::App, place].into_iter().chain(self.object.clone().map(Meter::Object))
    }

    /// The meter that a throttle of this scope blocks.
    fn blocked(&self, scope: Scope) -> Meter {
        match (scope, &self.ad_account, &self.object) {
            (Scope::App, _, _) => Meter::App,
            (Scope::AdSet, _, Some(object)) => Meter::Object(object.clone()),
            (_, Some(ad_account), _) => Meter::AdAccount(ad_account.clone()),
            (_, None, _) => Meter::Connection(self.connection.clone()),
        }
    }
}

/// Until when calls wait, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    pub until: Timestamp,
    pub why: String,
}

/// The meters that have run out, and the outcomes of the last calls.
#[derive(Debug, Default)]
pub struct Quota {
    parked: Mutex<HashMap<Meter, Parked>>,
    errors: Mutex<ErrorShare>,
}

/// From so many meters on, those whose time is over are forgotten.
const REMEMBERED: usize = 10_000;
/// A full meter without a time to regain access waits this long, by tier. Source: marketing-api/overview/rate-limiting.
const LIMITED_TIER_SECONDS: u64 = 300;
const FULL_TIER_SECONDS: u64 = 60;

impl Quota {
    /// Whether a call that touches this may be sent now.
    pub fn room(&self, touched: &Touched, now: Timestamp) -> Result<(), Parked> {
        let parked = lock(&self.parked);
        if parked.is_empty() {
            return Ok(());
        }
        let waits = touched.meters().filter_map(|meter| parked.get(&meter)).filter(|it| it.until > now);
        waits.max_by_key(|it| it.until).map_or(Ok(()), |it| Err(it.clone()))
    }

    /// Takes note of an answer: how full the meters are by its headers, and what Meta refused.
    pub fn observe(
        &self,
        touched: &Touched,
        usage: &Usage,
        refusal: Option<(&GraphRefusal, &Explanation)>,
        now: Timestamp,
    ) {
        if let Some(share) = lock(&self.errors).count(refusal.is_some()) {
            tracing::warn!(
                share,
                "many of the last 500 calls to Meta failed; from 15 % on the app loses its Full access tier. Look at the \
                 failing connections in the console"
            );
        }
        for (meter, parked) in full_meters(touched, usage, now) {
            self.park(meter, parked, now);
        }
        if let Some((refusal, known)) = refusal
            && let Class::Throttled { scope, pause_seconds } = known.class
        {
            let wait = wait(usage, pause_seconds);
            let why = format!(
                "{}: Meta refused a call with code {}",
                known.title,
                refusal.code.unwrap_or_default()
            );
            self.park(touched.blocked(scope), Parked { until: plus(now, wait), why }, now);
        }
    }

    /// The share of errors among the last calls, 0 to 1.
    pub fn error_share(&self) -> f64 {
        lock(&self.errors).share()
    }

    fn park(&self, meter: Meter, new: Parked, now: Timestamp) {
        let mut parked = lock(&self.parked);
        if parked.len() >= REMEMBERED {
            parked.retain(|_, it| it.until > now);
        }
        tracing::warn!(?meter, until = %new.until, why = new.why, "calls wait for Meta's limit");
        let until = parked.entry(meter).or_insert_with(|| new.clone());
        if until.until < new.until {
            *until = new;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the headers say is used up, and until when.
fn full_meters(touched: &Touched, usage: &Usage, now: Timestamp) -> Vec<(Meter, Parked)> {
    let mut full = Vec::new();
    if let Some(app) = &usage.app
        && app.call_count.max(app.total_time).max(app.total_cputime) >= 100.0
    {
        let why = "the app has used all calls of this hour".to_owned();
        full.push((Meter::App, Parked { until: plus(now, LIMITED_TIER_SECONDS), why }));
    }
    if let Some(account) = &usage.ad_account
        && account.acc_id_util_pct >= 100.0
    {
        let wait =
            account.reset_time_duration.filter(|seconds| *seconds > 0).unwrap_or(match usage.access_tier() {
                Some(AccessTier::StandardAccess) => FULL_TIER_SECONDS,
                _ => LIMITED_TIER_SECONDS,
            });
        let why = "the ad account's score is used up".to_owned();
        full.push((touched.blocked(Scope::AdAccount), Parked { until: plus(now, wait), why }));
    }
    for row in &usage.business {
        let spent = row.call_count.max(row.total_cputime).max(row.total_time) >= 100.0;
        if row.minutes_to_regain_access == 0 && !spent {
            continue;
        }
        let minutes = row.minutes_to_regain_access.max(1);
        let why = format!("the hourly limit of {} is used up", row.kind);
        // Recorded answers name the ad account here, Meta's page says business: both meters wait then.
        let named = Meter::AdAccount(row.id.trim_start_matches("act_").to_owned());
        let parked = Parked { until: plus(now, minutes * 60), why };
        let own = touched.blocked(Scope::Business);
        if own != named {
            full.push((own, parked.clone()));
        }
        full.push((named, parked));
    }
    full
}

/// Seconds to wait after a throttle: until access is regained, when a header says so, or the pause of its kind.
pub fn wait(usage: &Usage, pause_seconds: u32) -> u64 {
    regain_seconds(usage).unwrap_or_else(|| u64::from(pause_seconds))
}

/// Seconds until access is regained, when a header says so.
fn regain_seconds(usage: &Usage) -> Option<u64> {
    let business = usage.business.iter().map(|row| row.minutes_to_regain_access * 60);
    let account = usage.ad_account.iter().filter_map(|it| it.reset_time_duration);
    business.chain(account).max().filter(|seconds| *seconds > 0)
}

fn plus(now: Timestamp, seconds: u64) -> Timestamp {
    // A header that names years is no reason to wait for years.
    const LONGEST: u64 = 24 * 3600;
    now.plus_seconds(i64::try_from(seconds.min(LONGEST)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use adjoin_graph::{AdAccountUsage, BusinessUsage};

    use super::*;

    const NOW: i64 = 1_795_514_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(NOW + seconds)
    }

    fn touched(ad_account: Option<&str>) -> Touched {
        Touched { ad_account: ad_account.map(str::to_owned), object: None, connection: ConnectionId::new() }
    }

    #[test]
    fn a_blocked_ad_account_waits_until_it_is_regained_and_others_do_not() {
        let quota = Quota::default();
        let row = BusinessUsage {
            id: "12".to_owned(),
            kind: "ads_management".to_owned(),
            minutes_to_regain_access: 3,
            ..BusinessUsage::default()
        };
        quota.observe(&touched(Some("12")), &Usage { business: vec![row], ..Usage::default() }, None, at(0));
        let parked = quota.room(&touched(Some("12")), at(179)).unwrap_err();
        assert_eq!(parked.until, at(180));
        assert_eq!(quota.room(&touched(Some("12")), at(180)), Ok(()));
        assert_eq!(quota.room(&touched(Some("13")), at(0)), Ok(()));
        assert_eq!(quota.room(&touched(None), at(0)), Ok(()));
    }

    #[test]
    fn a_score_that_is_used_up_waits_as_long_as_its_tier_says() {
        for (tier, seconds) in [(AccessTier::DevelopmentAccess, 300), (AccessTier::StandardAccess, 60)] {
            let quota = Quota::default();
            let score = AdAccountUsage {
                acc_id_util_pct: 100.0,
                reset_time_duration: None,
                ads_api_access_tier: Some(tier),
            };
            let usage = Usage { ad_account: Some(score), ..Usage::default() };
            quota.observe(&touched(Some("1")), &usage, None, at(0));
            assert_eq!(quota.room(&touched(Some("1")), at(0)).unwrap_err().until, at(seconds));
        }
    }

    #[test]
    fn room_that_is_left_is_used() {
        let quota = Quota::default();
        let score = AdAccountUsage { acc_id_util_pct: 99.9, ..AdAccountUsage::default() };
        quota.observe(
            &touched(Some("1")),
            &Usage { ad_account: Some(score), ..Usage::default() },
            None,
            at(0),
        );
        assert_eq!(quota.room(&touched(Some("1")), at(0)), Ok(()));
    }

    #[test]
    fn a_wait_is_never_shortened_nor_longer_than_a_day() {
        let quota = Quota::default();
        let account = touched(Some("1"));
        let business = |minutes| Usage {
            business: vec![BusinessUsage {
                id: "1".to_owned(),
                minutes_to_regain_access: minutes,
                ..BusinessUsage::default()
            }],
            ..Usage::default()
        };
        quota.observe(&account, &business(10), None, at(0));
        quota.observe(&account, &business(1), None, at(0));
        assert_eq!(quota.room(&account, at(0)).unwrap_err().until, at(600));
        quota.observe(&account, &business(u64::MAX / 60), None, at(0));
        assert_eq!(quota.room(&account, at(0)).unwrap_err().until, at(24 * 3600));
    }
}
