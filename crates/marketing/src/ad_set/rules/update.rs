//! What cannot be changed once an ad set exists.

use super::super::document::AdSet;
use super::super::findings::{Findings, Meta, Rule, at};
use super::super::promoted_object::{FieldSet, PromotedObject, Value};
use super::case::Case;

/// Fields that may be added to a promoted object that lacks them.
const MAY_BE_ADDED: [&str; 2] = ["application_id", "product_catalog_id"];
/// Fields that may change where conversions are the goal, while the ad set is not published.
const MAY_CHANGE: [&str; 3] = ["pixel_id", "pixel_rule", "custom_event_type"];
/// What a published ad set was seen to refuse with a number of its own.
const PUBLISHED: [&str; 3] = ["pixel_id", "custom_event_type", "custom_conversion_id"];
const PUBLISHED_META: Option<Meta> = Some(Meta { code: 100, subcode: 3_260_011 });
/// The objectives under which they may: the two that Meta names, and those that took their place.
const CONVERSIONS: [&str; 5] =
    ["CONVERSIONS", "PRODUCT_CATALOG_SALES", "OUTCOME_SALES", "OUTCOME_LEADS", "OUTCOME_ENGAGEMENT"];

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(existing) = case.existing else { return };
    let ad_set = case.ad_set;
    if closed(ad_set, existing, out) {
        return;
    }
    promoted_object(case, existing, out);
    let changed = |field: fn(&AdSet<'_>) -> Option<String>| {
        let new = field(ad_set)?;
        (field(existing).as_ref() != Some(&new)).then_some(new)
    };
    if let Some(goal) = changed(|ad_set| ad_set.optimization_goal.as_deref().map(str::to_owned)) {
        let message = format!("The goal of a published ad set cannot be changed (to {goal}).");
        out.add(
            Rule::FixedGoalPublished,
            at!["ad_set", "optimization_goal"],
            message,
            "Create a new ad set.",
        );
    }
    if changed(|ad_set| ad_set.campaign_id.as_ref().map(|id| id.text().into_owned())).is_some() {
        let message = "An ad set cannot move to another campaign.";
        out.add(
            Rule::FixedCampaign,
            at!["ad_set", "campaign_id"],
            message,
            "Create a new ad set, or copy this one.",
        );
    }
    if changed(|ad_set| ad_set.destination_type.as_deref().map(str::to_owned)).is_some() {
        let message = "The destination of an ad set is very likely fixed once it exists.";
        out.add(Rule::FixedDestination, at!["ad_set", "destination_type"], message, "Create a new ad set.");
    }
    if changed(|ad_set| ad_set.is_dynamic_creative.map(|flag| flag.to_string())).is_some() {
        let message =
            "is_dynamic_creative is fixed once the ad set exists; Meta ignores the change without a word.";
        out.add(
            Rule::FixedDynamicCreative,
            at!["ad_set", "is_dynamic_creative"],
            message,
            "Create a new ad set.",
        );
    }
    let windows = |ad_set: &AdSet<'_>| {
        ad_set.attribution_spec.as_ref().map(|spec| {
            let mut items: Vec<_> = spec
                .items
                .iter()
                .map(|item| format!("{:?} {:?}", item.event_type, item.window_days))
                .collect();
            items.sort_unstable();
            items.join(", ")
        })
    };
    if let Some(new) = windows(ad_set)
        && windows(existing).as_ref() != Some(&new)
    {
        let message = "Attribution is fixed once the ad set exists.";
        out.add(Rule::FixedAttribution, at!["ad_set", "attribution_spec"], message, "Create a new ad set.");
    }
    let frequency = |ad_set: &AdSet<'_>| {
        ad_set.frequency_control_specs.as_ref().map(|specs| {
            let items = specs.items.iter();
            items.map(|item| (item.interval_days, item.max_frequency)).collect::<Vec<_>>()
        })
    };
    if let Some(new) = frequency(ad_set)
        && frequency(existing).as_ref() != Some(&new)
    {
        let message = "Frequency control is fixed once the ad set exists.";
        out.add(
            Rule::FixedFrequency,
            at!["ad_set", "frequency_control_specs"],
            message,
            "Create a new ad set.",
        );
    }
    lowered(case, existing, out);
}

/// Deleted ad sets cannot change at all, archived ones only their name, and back to life.
fn closed(ad_set: &AdSet<'_>, existing: &AdSet<'_>, out: &mut Findings) -> bool {
    let states = [&existing.effective_status, &existing.configured_status, &existing.status];
    let is = |state: &str| states.iter().any(|given| given.as_deref() == Some(state));
    let changes_more_than_name = ad_set.changes_more_than_name();
    let (rule, state) = match (is("DELETED"), is("ARCHIVED")) {
        (true, _) => (Rule::ObjectDeleted, "deleted"),
        (_, true) => (Rule::ObjectArchived, "archived"),
        _ => return false,
    };
    if changes_more_than_name {
        let message = format!("The ad set is {state}; only its name can be changed.");
        out.add(rule, at!["ad_set"], message, "Create a new ad set.");
    }
    true
}

fn promoted_object(case: &Case<'_>, existing: &AdSet<'_>, out: &mut Findings) {
    let Some(new) = &case.ad_set.promoted_object else { return };
    let path = || at!["ad_set", "promoted_object"];
    let Some(old) = existing.promoted_object.as_ref().filter(|object| !object.present.is_empty()) else {
        if !new.present.is_empty() {
            let message = "An ad set that has no promoted object cannot be given one.";
            out.add(Rule::FixedPromotedObjectAbsent, path(), message, "Create a new ad set.");
        }
        return;
    };
    let converts = case.objective.is_none()
        || (case.objective_is(&CONVERSIONS) && case.goal_is(&["OFFSITE_CONVERSIONS"]));
    for field in differences(old, new) {
        let path = at!["ad_set", "promoted_object", field];
        if MAY_BE_ADDED.contains(&field) && !old.has(field) {
            continue;
        }
        if MAY_CHANGE.contains(&field) && converts {
            let message = format!("A published ad set refuses a new {field}.");
            out.add(
                Rule::FixedPromotedObjectPublished,
                path,
                message,
                "Create a new ad set if this one is published.",
            );
        } else {
            let message = format!("{field} of the promoted object is fixed once the ad set exists.");
            let finding = out.add(Rule::FixedPromotedObject, path, message, "Create a new ad set.");
            if PUBLISHED.contains(&field) && is_published(existing) {
                finding.meta = PUBLISHED_META;
            }
        }
    }
}

/// Whether the ad set is, or was, on the air as far as it says.
fn is_published(existing: &AdSet<'_>) -> bool {
    [&existing.effective_status, &existing.configured_status, &existing.status]
        .iter()
        .any(|status| status.as_deref() == Some("ACTIVE"))
}

/// The fields that are new or hold something else.
fn differences(old: &PromotedObject<'_>, new: &PromotedObject<'_>) -> impl Iterator<Item = &'static str> {
    let changed: Vec<&'static str> = FieldSet::names(new.present)
        .filter(|name| match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => !same(old, new),
            _ => true,
        })
        .collect();
    changed.into_iter()
}

/// Ids are the same as number and as text; lists and objects cannot be compared and pass.
fn same(old: &Value<'_>, new: &Value<'_>) -> bool {
    let text = |value: &Value<'_>| match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Other | Value::Empty => None,
    };
    match (text(old), text(new)) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    }
}

fn lowered(case: &Case<'_>, existing: &AdSet<'_>, out: &mut Findings) {
    let budgets = [
        ("daily_budget", case.ad_set.daily_budget, existing.daily_budget),
        ("lifetime_budget", case.ad_set.lifetime_budget, existing.lifetime_budget),
    ];
    for (field, new, old) in budgets {
        if let Some((new, old)) = new.zip(old)
            && new < old
        {
            let message = format!("{field} goes down from {} to {}.", case.money(old), case.money(new));
            let fix = "It must stay at least a tenth above what is already spent.";
            out.add(Rule::BudgetLowered, at!["ad_set", field], message, fix);
        }
    }
    // What is left of a daily budget is of one day, and tells nothing of what was spent.
    if let (Some(new), Some(whole), Some(left)) =
        (case.ad_set.lifetime_budget, existing.lifetime_budget, existing.budget_remaining)
        && new > 0
        && let Some(spent) = whole.checked_sub(left).filter(|spent| *spent > 0)
        && i128::from(new) * 10 < i128::from(spent) * 11
    {
        let message = format!(
            "{} is less than a tenth above the {} that are spent already.",
            case.money(new),
            case.money(spent)
        );
        let fix = "Raise lifetime_budget to 110 % of what is spent at least.";
        out.add(Rule::BudgetBelowSpent, at!["ad_set", "lifetime_budget"], message, fix);
    }
}
