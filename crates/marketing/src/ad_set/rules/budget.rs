//! Budgets: on which level, how much, and what they need.

use super::super::document::{BUDGETS, Campaign};
use super::super::findings::{Findings, Rule, Segment, Severity, at};
use super::super::read::{Told, is_unreadable};
use super::case::Case;
use crate::money;

/// 0.50 USD a day: the least for an ad set paid by impressions, in the countries with the lower minimum.
const LEAST_A_DAY_USD: i64 = 50;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    for (field, given) in [("daily_budget", ad_set.daily_budget), ("lifetime_budget", ad_set.lifetime_budget)]
    {
        let Some(amount) = given else { continue };
        if amount < 0 || (amount == 0 && !case.is_update()) {
            out.add(
                Rule::BudgetNotPositive,
                at!["ad_set", field],
                format!("{field} is {amount}, and a budget must be more than nothing."),
                "Raise it, or leave it out.",
            );
        } else {
            in_whole_units(case, field, amount, out);
        }
    }
    let daily = ad_set.daily_budget.filter(|amount| *amount > 0);
    let lifetime = ad_set.lifetime_budget.filter(|amount| *amount > 0);
    if daily.is_some() && lifetime.is_some() {
        out.add(
            Rule::BudgetDailyAndLifetime,
            at!["ad_set", "lifetime_budget"],
            "An ad set has a daily or a lifetime budget, not both.",
            "Send one of them.",
        );
    }
    levels(case, out);
    if let Some(amount) = daily {
        minimum(case, amount, Severity::Reject, || at!["ad_set", "daily_budget"], out);
    }
    // A lifetime budget must do for each of its days; how many they are does not matter for what is surely too low.
    if let Some(amount) = lifetime {
        minimum(case, amount, Severity::Warn, || at!["ad_set", "lifetime_budget"], out);
    }
    account_known(case, daily.or(lifetime).is_some(), out);
    spend_targets(case, out);
    impressions(case, out);
}

fn campaign_has_budget(campaign: &Campaign<'_>) -> bool {
    campaign.daily_budget().is_some_and(|amount| amount > 0)
        || campaign.lifetime_budget().is_some_and(|amount| amount > 0)
}

fn levels(case: &Case<'_>, out: &mut Findings) {
    let given =
        [("daily_budget", case.ad_set.daily_budget), ("lifetime_budget", case.ad_set.lifetime_budget)];
    match case.campaign {
        Some(campaign) if campaign_has_budget(campaign) => {
            for (field, _) in given.into_iter().filter(|(_, amount)| amount.is_some()) {
                out.add(
                    Rule::BudgetOnBothLevels,
                    at!["ad_set", field],
                    "The campaign has a budget, so its ad sets cannot have one.",
                    "Keep the budget on one level: take it from the ad set, or from the campaign.",
                );
            }
        }
        // Bought by reservation, the budget is in the prediction.
        campaign
            if !case.is_update()
                && !case.ad_set.names_a_budget()
                && !campaign.is_some_and(|campaign| is_unreadable(&campaign.odd, &BUDGETS))
                && case.ad_set.rf_prediction_id.is_none() =>
        {
            out.add(
                Rule::BudgetMissing,
                at!["ad_set", "daily_budget"],
                if campaign.is_some_and(Campaign::tells_of_budgets) {
                    "Neither the ad set nor its campaign has a budget."
                } else {
                    "The ad set has no budget, and whether its campaign has one is not known."
                },
                "Add daily_budget or lifetime_budget here, or give the campaign a budget.",
            )
            .at_most(case.without(Campaign::tells_of_budgets));
        }
        _ => {}
    }
}

fn in_whole_units(case: &Case<'_>, field: &'static str, amount: i64, out: &mut Findings) {
    let Some(currency) =
        case.account.and_then(|account| account.currency.as_deref()).and_then(money::currency)
    else {
        return;
    };
    if currency.offset == 1 {
        out.add(
            Rule::BudgetInWholeUnits,
            at!["ad_set", field],
            format!("{} has no minor units: {field} {amount} is {}.", currency.code, case.money(amount)),
            "Nothing, if that is what is meant.",
        );
    }
}

/// The least a day, and the most that can be said of less: the minimum by goal is only known online.
fn least(case: &Case<'_>) -> Option<(i64, Severity)> {
    let account = case.account?;
    match (account.min_daily_budget, account.currency.as_deref()) {
        (Some(least), _) => Some((least, Severity::Reject)),
        (None, Some("USD")) => Some((LEAST_A_DAY_USD, Severity::Warn)),
        _ => None,
    }
}

/// Catches what is surely too low.
pub(super) fn minimum(
    case: &Case<'_>,
    amount: i64,
    most: Severity,
    path: impl FnOnce() -> Vec<Segment>,
    out: &mut Findings,
) {
    let Some((least, certain)) = least(case) else { return };
    if amount < least {
        out.add(
            Rule::BudgetBelowMinimum,
            path(),
            format!("{} is below the minimum of {} a day.", case.money(amount), case.money(least)),
            "Raise it; GET /act_{id}/minimum_budgets tells the minimum by goal.",
        )
        .at_most(most.min(certain));
    }
}

/// Without the ad account's currency and minimum, a budget passes unjudged, and that is said.
fn account_known(case: &Case<'_>, has_budget: bool, out: &mut Findings) {
    let creates_budget = case.creates_campaign() && case.campaign.is_some_and(campaign_has_budget);
    if !(has_budget || creates_budget) || least(case).is_some() {
        return;
    }
    let (path, message) = if case.account.is_some() {
        (
            at!["ad_account", "min_daily_budget"],
            "The least budget that the ad account takes is not known, so the budget was not compared with it.",
        )
    } else {
        (at!["ad_account"], "The ad account is not given, so the budget was not compared with what it takes.")
    };
    out.add(
        Rule::AccountUnknown,
        path,
        message,
        "Give ad_account with currency and min_daily_budget to the check.",
    );
}

/// Which budget of a campaign.
type Budget = fn(&Campaign<'_>) -> Option<Told<i64>>;

fn spend_targets(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    let daily: Budget = |campaign| campaign.daily_budget;
    let lifetime: Budget = |campaign| campaign.lifetime_budget;
    let targets = [
        ("daily_min_spend_target", ad_set.daily_min_spend_target, "daily_budget", daily),
        ("daily_spend_cap", ad_set.daily_spend_cap, "daily_budget", daily),
        ("lifetime_min_spend_target", ad_set.lifetime_min_spend_target, "lifetime_budget", lifetime),
        ("lifetime_spend_cap", ad_set.lifetime_spend_cap, "lifetime_budget", lifetime),
    ];
    for (field, given, needs, budget) in targets {
        if given.is_some_and(|amount| amount > 0)
            && case.campaign.is_none_or(|campaign| budget(campaign).is_none_or(|told| told.0.is_none()))
        {
            out.add(
                Rule::SpendTargetNeedsCampaignBudget,
                at!["ad_set", field],
                format!("{field} only goes with a campaign that has {needs}."),
                format!("Give the campaign {needs}, or leave {field} out."),
            )
            .at_most(case.without(|campaign| campaign.tells_of(budget(campaign).is_some())));
        }
    }
    let pairs = [
        ("daily_min_spend_target", ad_set.daily_min_spend_target, ad_set.daily_spend_cap),
        ("lifetime_min_spend_target", ad_set.lifetime_min_spend_target, ad_set.lifetime_spend_cap),
    ];
    for (field, least, most) in pairs {
        if let Some((least, most)) = least.zip(most)
            && least > most
        {
            let message = format!(
                "The least to spend, {}, is above the most, {}.",
                case.money(least),
                case.money(most)
            );
            out.add(Rule::SpendTargetAboveCap, at!["ad_set", field], message, "Lower it, or raise the cap.");
        }
    }
}

/// Impressions are bought at a fixed price only under a buying type that is no longer sold.
fn impressions(case: &Case<'_>, out: &mut Findings) {
    let buying_type = case.campaign.and_then(Campaign::buying_type);
    for (field, given) in
        [("daily_imps", case.ad_set.daily_imps), ("lifetime_imps", case.ad_set.lifetime_imps)]
    {
        if given.is_some_and(|number| number > 0) && buying_type != Some("FIXED_CPM") {
            out.add(
                Rule::ImpressionsNeedFixedCpm,
                at!["ad_set", field],
                format!("{field} only goes with buying type FIXED_CPM."),
                format!("Leave {field} out and give a budget."),
            )
            .at_most(case.without(|campaign| campaign.tells_of(campaign.buying_type.is_some())));
        }
    }
}
