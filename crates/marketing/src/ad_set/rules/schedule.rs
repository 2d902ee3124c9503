//! When the ad set runs: start and end, and the hours of the week.

use jiff::{SignedDuration, Timestamp};

use super::super::document::Hours;
use super::super::findings::{Findings, Rule, Severity, at};
use super::super::read::{Moment, When};
use super::bidding::{COST_CAP, MIN_ROAS, strategy};
use super::case::Case;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Ad sets of iOS 14+ campaigns run this long under cost cap or minimum return.
const SKAN: SignedDuration = SignedDuration::from_hours(3 * 24);
const MINUTES_A_DAY: i64 = 24 * 60;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let start = moment("start_time", case.ad_set.start_time.as_ref(), out);
    let end = moment("end_time", case.ad_set.end_time.as_ref(), out);
    let standing_start =
        || match case.existing.and_then(|existing| existing.start_time.as_ref()).map(Moment::when) {
            Some(When::Known(at)) => Some(at),
            _ => None,
        };
    ends(case, start.or_else(standing_start), end, out);
    let lifetime = case.merged(|ad_set| ad_set.lifetime_budget).is_some_and(|amount| amount > 0);
    let has_end = case.merged(|ad_set| ad_set.end_time.as_ref()).is_some_and(|end| *end != Moment::Unix(0));
    if lifetime && !has_end && (case.ad_set.lifetime_budget.is_some() || case.ad_set.end_time.is_some()) {
        out.add(
            Rule::LifetimeBudgetNeedsEnd,
            at!["ad_set", "end_time"],
            "A lifetime budget is spread until an end, and there is none.",
            "Add end_time, or use daily_budget.",
        );
    }
    hours_of_the_week(case, lifetime, out);
}

/// A moment that is given and means something; `0` stands for no end.
fn moment(field: &'static str, moment: Option<&Moment<'_>>, out: &mut Findings) -> Option<Timestamp> {
    let moment = moment.filter(|moment| **moment != Moment::Unix(0))?;
    match moment.when() {
        When::Known(at) => Some(at),
        When::WithoutOffset(at) => {
            out.add(
                Rule::TimeWithoutOffset,
                at!["ad_set", field],
                format!("{field} has no offset, so it depends on the ad account's time zone."),
                "Write it with an offset, 2026-11-24T08:00:00+0000, or as Unix seconds.",
            );
            Some(at)
        }
        When::Unreadable => {
            out.add(
                Rule::WrongType,
                at!["ad_set", field],
                format!("{field} is no time we can read."),
                "Write it as 2026-11-24T08:00:00+0000, or as Unix seconds.",
            )
            .at_most(Severity::Warn);
            None
        }
    }
}

fn ends(case: &Case<'_>, start: Option<Timestamp>, end: Option<Timestamp>, out: &mut Findings) {
    let Some(end) = end else { return };
    let path = || at!["ad_set", "end_time"];
    if end <= case.now {
        out.add(
            Rule::EndInThePast,
            path(),
            format!("The ad set ends at {end}, which is past."),
            "Choose a later end_time.",
        );
    }
    let from = start.unwrap_or(case.now);
    if end <= from {
        if start.is_some() {
            let message = format!("The ad set ends at {end}, before it starts at {from}.");
            out.add(Rule::EndBeforeStart, path(), message, "Choose a later end_time.");
        }
        return;
    }
    if case.campaign.is_some_and(|campaign| campaign.is_skadnetwork_attribution == Some(true))
        && end.duration_since(from) < SKAN
        && let Some(strategy @ (COST_CAP | MIN_ROAS)) = strategy(case)
    {
        let message = format!("Under {strategy} an ad set of an iOS 14+ campaign runs at least three days.");
        let fix = "Choose a later end_time, or use LOWEST_COST_WITHOUT_CAP.";
        out.add(Rule::SkanTooShort, path(), message, fix);
    }
    let daily = case.merged(|ad_set| ad_set.daily_budget).is_some_and(|amount| amount > 0);
    if daily && !case.is_update() && end.duration_since(from) <= DAY {
        out.add(
            Rule::DailyBudgetNeedsADay,
            path(),
            "With a daily budget an ad set runs longer than 24 hours.",
            "Choose a later end_time, or use lifetime_budget.",
        );
    }
}

fn hours_of_the_week(case: &Case<'_>, lifetime: bool, out: &mut Findings) {
    let parts = case
        .merged(|ad_set| ad_set.pacing_type.as_ref())
        .is_some_and(|pacing| pacing.items.iter().any(|word| word == "day_parting"));
    let schedule = case.ad_set.adset_schedule.as_ref().filter(|schedule| !schedule.items.is_empty());
    let Some(schedule) = schedule else {
        if parts && case.merged(|ad_set| ad_set.adset_schedule.as_ref()).is_none() {
            let message = "day_parting says that the ads run at some hours only, and there are none.";
            let fix = "Add adset_schedule, or leave pacing_type out.";
            out.add(Rule::DayPartingNeedsSchedule, at!["ad_set", "pacing_type"], message, fix);
        }
        return;
    };
    if !lifetime {
        let campaign_lifetime = case.campaign.is_some_and(|campaign| campaign.lifetime_budget().is_some());
        if !campaign_lifetime {
            let message = "Hours of the week only go with a lifetime budget.";
            out.add(
                Rule::ScheduleNeedsLifetimeBudget,
                at!["ad_set", "adset_schedule"],
                message,
                "Use lifetime_budget with end_time.",
            )
            .at_most(case.without(|campaign| campaign.tells_of(campaign.lifetime_budget.is_some())));
        }
    }
    if !parts {
        let fix = "Set pacing_type to [\"day_parting\"].";
        out.add(
            Rule::ScheduleNeedsDayParting,
            at!["ad_set", "pacing_type"],
            "Hours of the week need day_parting.",
            fix,
        );
    }
    for (index, hours) in schedule.items.iter().enumerate() {
        one(index, hours, out);
    }
}

fn one(index: usize, hours: &Hours<'_>, out: &mut Findings) {
    let path = |field: &'static str| at!["ad_set", "adset_schedule", index, field];
    match (hours.start_minute, hours.end_minute) {
        (Some(start), Some(end)) => {
            let bounded = (0..=MINUTES_A_DAY).contains(&start) && (0..=MINUTES_A_DAY).contains(&end);
            if !bounded || start % 60 != 0 || end % 60 != 0 {
                let message = format!(
                    "Minutes {start} to {end}: both are minutes of the day, 0 to 1440, on the full hour."
                );
                out.add(Rule::ScheduleHours, path("start_minute"), message, "Use multiples of 60.");
            } else if end - start < 60 {
                let message = format!("Minutes {start} to {end} are less than an hour.");
                out.add(Rule::ScheduleHours, path("end_minute"), message, "Let it run an hour at least.");
            }
        }
        (None, _) => {
            out.add(Rule::ScheduleHours, path("start_minute"), "The start is missing.", "Add start_minute.");
        }
        (_, None) => {
            out.add(Rule::ScheduleHours, path("end_minute"), "The end is missing.", "Add end_minute.");
        }
    }
    match &hours.days {
        Some(days) if !days.items.is_empty() => {
            if let Some(day) = days.items.iter().find(|day| !(0..=6).contains(*day)) {
                let message = format!("{day} is no day; 0 is Sunday and 6 is Saturday.");
                out.add(Rule::ScheduleDays, path("days"), message, "Use 0 to 6.");
            }
        }
        _ => {
            out.add(Rule::ScheduleDays, path("days"), "The days are missing.", "Add days, 0 (Sunday) to 6.");
        }
    }
}
