//! What is paid for.

use super::super::billing;
use super::super::document::Campaign;
use super::super::findings::{Findings, Rule, Severity, at};
use super::case::{Case, either};
use crate::vocabulary::{Kind, vocabulary};

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(event) = case.merged(|ad_set| ad_set.billing_event.as_deref()) else { return };
    if case.is_update() && case.ad_set.billing_event.is_none() && case.ad_set.optimization_goal.is_none() {
        return;
    }
    let path = || at!["ad_set", "billing_event"];
    let buying_type = case.campaign.and_then(Campaign::buying_type);
    if let Some(buying_type @ ("RESERVED" | "FIXED_CPM")) = buying_type
        && event != "IMPRESSIONS"
    {
        let message = format!("With buying type {buying_type} only IMPRESSIONS can be paid for.");
        out.add(Rule::BillingNotForBuyingType, path(), message, "Set billing_event to IMPRESSIONS.");
        return;
    }
    let Some(goal) = case.goal.filter(|_| vocabulary(Kind::BillingEvent).position(event).is_some()) else {
        return;
    };
    if goal.text == "APP_INSTALLS" && event == "APP_INSTALLS" {
        out.add(
            Rule::BillingInstall,
            path(),
            "Paying by install is gone: APP_INSTALLS cannot be goal and billing event together.",
            "Set billing_event to IMPRESSIONS.",
        );
        return;
    }
    if goal.text == "LINK_CLICKS" && event == "LINK_CLICKS" {
        out.add(
            Rule::BillingLinkClicksNeedsButton,
            path(),
            "When clicks are goal and paid for, every creative needs a call to action.",
            "Give the creatives a call_to_action.",
        );
    }
    let Some(goal_at) = goal.at else { return };
    let row = billing::of_goal(goal_at);
    let fits = row.map_or(event == "IMPRESSIONS", |row| row.billing_events.iter().any(|word| word == event));
    if fits || vocabulary(Kind::BillingEvent).position(event).is_none() {
        return;
    }
    if let Some(row) = row {
        let message = format!("With goal {} one cannot pay for {event}.", goal.text);
        let fix = format!("Set billing_event to {}.", either(&row.billing_events));
        out.add(Rule::BillingNotForGoal, path(), message, fix).with_row(row.mark, &row.source);
    } else {
        let message = format!("With goal {} one very likely cannot pay for {event}.", goal.text);
        out.add(Rule::BillingNotForGoal, path(), message, "Set billing_event to IMPRESSIONS.")
            .at_most(Severity::Warn);
    }
}
