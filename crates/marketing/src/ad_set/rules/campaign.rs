//! The campaign: as a creation of its own, and old objectives.
//!
//! A campaign that has an `id` is there already. Then what is left out was only not read, so nothing is missed but the
//! objective; an old objective is a warning, for such campaigns live on; and a status is judged by what it means for a
//! new ad set. All else holds for it as for one that is to be created.

use super::super::document::Campaign;
use super::super::findings::{Findings, Rule, Severity};
use super::super::legacy;
use super::super::read::Filled;
use super::budget::minimum;
use super::case::{Case, Word};
use crate::money;
use crate::versions;

/// 100 USD in minor units: the least a spend cap can be.
const SPEND_CAP_USD: i64 = 10_000;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let Some(campaign) = case.campaign else { return };
    old_objective(case, out);
    if !case.is_update() {
        if case.creates_campaign() {
            required(case, campaign, out);
        } else if campaign.objective.as_deref().is_none_or(str::is_empty) {
            out.add(
                Rule::CampaignObjectiveMissing,
                case.campaign_path("objective"),
                "Without the campaign's objective, not every rule can be checked.",
                "Give objective with the campaign.",
            );
        }
        values(case, campaign, out);
        sharing(case, campaign, out);
    }
    catalog(case, campaign, out);
}

fn old_objective(case: &Case<'_>, out: &mut Findings) {
    let Some(objective) = case.objective else { return };
    let Some(old) = legacy::objective(objective.text) else { return goal_as_objective(case, objective, out) };
    let path = case.campaign_path("objective");
    let gone = |feature| versions::removal(feature).filter(|removal| removal.applies(case.version, case.now));
    if case.creates_campaign()
        && let Some(removal) = gone("legacy_objectives")
    {
        let message = format!(
            "{} is an objective of the old kind. Since {} no campaign can be created with it. The promoted object is \
             still checked by the old table.",
            old.name, removal.since
        );
        out.add(Rule::LegacyObjective, path, message, old.today.as_str());
    } else if !case.is_update()
        && let Some(removal) = gone("legacy_objective_children")
    {
        let message = format!(
            "{} is an objective of the old kind. Since {} new ad sets under such a campaign are refused.",
            old.name, removal.since
        );
        out.add(Rule::LegacyCampaign, path, message, old.today.as_str());
    } else {
        let message = format!("{} is an objective of the old kind.", old.name);
        let finding = out.add(Rule::LegacyName, path, message, old.today.as_str());
        if case.is_update() {
            finding.at_most(Severity::Note);
        }
    }
}

/// The name of a goal in the place of the objective.
fn goal_as_objective(case: &Case<'_>, objective: Word<'_>, out: &mut Findings) {
    if objective.at.is_some() {
        return;
    }
    if let Some(name) = legacy::name(objective.text) {
        let message = format!("{} is an optimization goal, not an objective.", name.name);
        out.add(Rule::LegacyName, case.campaign_path("objective"), message, name.today.as_str());
    }
}

/// What a campaign that is to be created cannot do without.
fn required(case: &Case<'_>, campaign: &Campaign<'_>, out: &mut Findings) {
    let path = |field| case.campaign_path(field);
    if campaign.name.as_deref().is_none_or(|name| name.trim().is_empty()) {
        out.add(Rule::CampaignNameMissing, path("name"), "A campaign needs a name.", "Add name.");
    }
    if campaign.objective.as_deref().is_none_or(str::is_empty) {
        out.add(
            Rule::CampaignObjectiveMissing,
            path("objective"),
            "A campaign needs an objective.",
            "Add objective, one of OUTCOME_AWARENESS, OUTCOME_TRAFFIC, OUTCOME_ENGAGEMENT, OUTCOME_LEADS, \
             OUTCOME_APP_PROMOTION and OUTCOME_SALES.",
        );
    }
    if campaign.special_ad_categories.is_none() && campaign.special_ad_category.is_none() {
        out.add(
            Rule::SpecialCategoriesMissing,
            path("special_ad_categories"),
            "A campaign must say which special ad categories it falls under.",
            "Send [] if there are none.",
        );
    }
}

/// What is said of a campaign must be possible, whether it is there already or not.
fn values(case: &Case<'_>, campaign: &Campaign<'_>, out: &mut Findings) {
    let path = |field| case.campaign_path(field);
    if let Some(status @ ("DELETED" | "ARCHIVED")) = campaign.status.as_deref() {
        let (message, fix) = if case.creates_campaign() {
            (format!("A campaign cannot be created {status}."), "Use PAUSED or ACTIVE.")
        } else {
            (format!("The campaign is {status}, and takes no new ad sets."), "Use another campaign.")
        };
        out.add(Rule::CampaignStatus, path("status"), message, fix);
    }
    for (field, given) in
        [("daily_budget", campaign.daily_budget()), ("lifetime_budget", campaign.lifetime_budget())]
    {
        if let Some(amount) = given.filter(|amount| *amount <= 0) {
            out.add(
                Rule::BudgetNotPositive,
                path(field),
                format!("{field} is {amount}, and a budget must be more than nothing."),
                "Raise it, or leave it out.",
            );
        }
    }
    if campaign.daily_budget().is_some() && campaign.lifetime_budget().is_some() {
        out.add(
            Rule::BudgetDailyAndLifetime,
            path("lifetime_budget"),
            "A campaign has a daily or a lifetime budget, not both.",
            "Send one of them.",
        );
    }
    if let Some(cap) = campaign.spend_cap
        && case
            .account
            .and_then(|account| account.currency.as_deref())
            .is_some_and(|code| below_cap(cap, code))
    {
        let message = format!("The spend cap is {}, and must be worth at least 100 USD.", case.money(cap));
        out.add(Rule::SpendCapTooLow, path("spend_cap"), message, "Raise it.");
    }
    // Meta took the budget of a campaign that is there already.
    let most = if case.creates_campaign() { Severity::Reject } else { Severity::Warn };
    if let Some(amount) = campaign.daily_budget().filter(|amount| *amount > 0) {
        minimum(case, amount, most, || path("daily_budget"), out);
    }
    if case.creates_campaign()
        && let Some(kind @ ("AUTOMATED_SHOPPING_ADS" | "SMART_APP_PROMOTION")) =
            campaign.smart_promotion_type.as_deref()
        && let Some(removal) = versions::removal("advantage_shopping_campaigns")
        && removal.applies(case.version, case.now)
    {
        let message = format!("{kind}: {}", removal.what);
        out.add(
            Rule::CampaignSmartPromotion,
            path("smart_promotion_type"),
            message,
            removal.instead.as_str(),
        );
    }
}

/// Whether a spend cap is worth less than 100 USD for certain.
fn below_cap(cap: i64, code: &str) -> bool {
    match money::currency(code) {
        Some(_) if code == "USD" => cap < SPEND_CAP_USD,
        // No currency of the list is worth more than three dollars and a third.
        Some(currency) => cap < 30 * currency.offset,
        None => false,
    }
}

/// Whether the ad sets share a part of their budgets must be said where they have them.
fn sharing(case: &Case<'_>, campaign: &Campaign<'_>, out: &mut Findings) {
    let path = || case.campaign_path("is_adset_budget_sharing_enabled");
    let has_budget = campaign.names_a_budget();
    match campaign.is_adset_budget_sharing_enabled {
        None if !has_budget && case.version_number >= 240 && case.creates_campaign() => {
            out.add(
                Rule::BudgetSharingUnstated,
                path(),
                "A campaign without a budget must say whether its ad sets share a part of theirs.",
                "Send false, or true if up to a fifth of a budget may move between ad sets.",
            );
        }
        Some(true) if has_budget => {
            out.add(
                Rule::BudgetSharingWithBudget,
                path(),
                "The campaign has the budget, so its ad sets have none to share.",
                "Send false, or drop the campaign's budget.",
            );
        }
        Some(true) if campaign.bid_strategy().is_none() => {
            out.add(
                Rule::BudgetSharingNeedsStrategy,
                case.campaign_path("bid_strategy"),
                "Ad sets that share budgets need a bid strategy on the campaign.",
                "Add bid_strategy.",
            )
            .at_most(case.without(|campaign| campaign.tells_of(campaign.bid_strategy.is_some())));
        }
        _ => {}
    }
}

/// A catalog belongs on the campaign, its product set on the ad set.
fn catalog(case: &Case<'_>, campaign: &Campaign<'_>, out: &mut Findings) {
    let sells_products = case.promoted_object().is_some_and(|object| object.has("product_set_id"));
    let has_catalog =
        campaign.promoted_object.as_ref().is_some_and(|object| object.has("product_catalog_id"));
    if case.creates_campaign() && sells_products && !has_catalog && case.objective_is(&["OUTCOME_SALES"]) {
        out.add(
            Rule::CampaignCatalogMissing,
            case.campaign_path("promoted_object"),
            "The ad set promotes a product set, and the campaign does not name the catalog.",
            "Add promoted_object {\"product_catalog_id\": ...} to the campaign.",
        );
    }
}

/// Whether something was filled in.
pub(super) fn filled(value: Option<Filled>) -> bool {
    value == Some(Filled(true))
}
