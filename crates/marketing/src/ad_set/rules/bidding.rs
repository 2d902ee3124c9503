//! Bid strategy, bid amount, and the level they live on.

use super::super::document::Campaign;
use super::super::findings::{Findings, Rule, Severity, at};
use super::case::Case;

const WITHOUT_CAP: &str = "LOWEST_COST_WITHOUT_CAP";
const BID_CAP: &str = "LOWEST_COST_WITH_BID_CAP";
pub(super) const COST_CAP: &str = "COST_CAP";
pub(super) const MIN_ROAS: &str = "LOWEST_COST_WITH_MIN_ROAS";

/// What `roas_average_floor` can be: ten thousand times the return.
const ROAS_FLOOR: std::ops::RangeInclusive<i64> = 100..=10_000_000;

/// The strategy that holds for the ad set.
pub(super) fn strategy<'d>(case: &Case<'d>) -> Option<&'d str> {
    let of_campaign = case.campaign.and_then(Campaign::bid_strategy);
    case.merged(|ad_set| ad_set.bid_strategy.as_deref()).or(of_campaign)
}

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    levels(case, out);
    let touched = case.ad_set.bid_strategy.is_some()
        || case.ad_set.bid_amount.is_some()
        || case.ad_set.bid_constraints.is_some();
    if case.is_update() && !touched {
        return;
    }
    let strategy = strategy(case);
    let amount = case.merged(|ad_set| ad_set.bid_amount);
    let path = |field: &'static str| at!["ad_set", field];
    if let Some(amount) = amount.filter(|amount| *amount <= 0) {
        let message = format!("bid_amount is {amount}, and a bid must be more than nothing.");
        out.add(Rule::BidAmountTooLow, path("bid_amount"), message, "Raise it, or leave it out.");
    }
    match strategy {
        Some(strategy @ (BID_CAP | COST_CAP)) => {
            if amount.is_none() {
                let message = format!("{strategy} needs the amount it caps.");
                let fix = "Add bid_amount in minor units, or use LOWEST_COST_WITHOUT_CAP.";
                out.add(Rule::BidAmountMissing, path("bid_amount"), message, fix);
            }
            if strategy == COST_CAP {
                cost_cap(case, out);
            }
        }
        Some(MIN_ROAS) => min_roas(case, amount, out),
        Some(WITHOUT_CAP) if amount.is_some() => {
            out.add(
                Rule::BidAmountWithoutCap,
                path("bid_amount"),
                "LOWEST_COST_WITHOUT_CAP has no cap, so bid_amount contradicts it.",
                "Leave bid_amount out, or use LOWEST_COST_WITH_BID_CAP or COST_CAP.",
            );
        }
        None if amount.is_none() && !case.is_update() => {
            let place = if case.campaign.is_some_and(Campaign::names_a_budget) {
                case.campaign_path("bid_strategy")
            } else {
                path("bid_strategy")
            };
            out.add(
                Rule::BidStrategyUnstated,
                place,
                "Without a bid strategy the ad account's default counts, which may need an amount.",
                "Say bid_strategy where the budget is; LOWEST_COST_WITHOUT_CAP needs nothing else.",
            );
        }
        _ => {}
    }
}

/// The strategy lives where the budget lives.
pub(super) fn levels(case: &Case<'_>, out: &mut Findings) {
    let Some(campaign) = case.campaign else { return };
    let has_budget = campaign.names_a_budget();
    let shares = campaign.is_adset_budget_sharing_enabled == Some(true);
    if campaign.bid_strategy().is_some() && !has_budget && !shares {
        out.add(
            Rule::BidStrategyNeedsBudget,
            case.campaign_path("bid_strategy"),
            "The campaign has a bid strategy, but no budget.",
            "Move bid_strategy to the ad set, or give the campaign the budget.",
        )
        .at_most(case.without(Campaign::tells_of_budgets));
    }
    if let Some(strategy) = case.ad_set.bid_strategy.as_deref()
        && has_budget
    {
        match campaign.bid_strategy() {
            Some(other) if other != strategy => {
                let message = format!("The campaign bids by {other}, the ad set by {strategy}.");
                let fix = "Leave bid_strategy to the campaign, which has the budget.";
                out.add(Rule::BidStrategyConflict, at!["ad_set", "bid_strategy"], message, fix);
            }
            Some(_) => {}
            None => {
                let message = "The campaign has the budget, so the bid strategy belongs there.";
                let fix = "Move bid_strategy to the campaign.";
                out.add(Rule::BidStrategyLevel, at!["ad_set", "bid_strategy"], message, fix);
            }
        }
    }
}

fn cost_cap(case: &Case<'_>, out: &mut Findings) {
    if let Some(event) =
        case.merged(|ad_set| ad_set.billing_event.as_deref()).filter(|event| *event != "IMPRESSIONS")
    {
        let message = format!("COST_CAP only pays for IMPRESSIONS, not {event}.");
        out.add(
            Rule::CostCapBilling,
            at!["ad_set", "billing_event"],
            message,
            "Set billing_event to IMPRESSIONS.",
        );
    }
    if let Some(pacing) = case.merged(|ad_set| ad_set.pacing_type.as_ref())
        && pacing.items.iter().any(|word| word != "standard")
    {
        let fix = "Set pacing_type to [\"standard\"], or leave it out.";
        out.add(Rule::CostCapPacing, at!["ad_set", "pacing_type"], "COST_CAP needs standard pacing.", fix);
    }
    if case.objective_is(&["OUTCOME_AWARENESS", "REACH", "BRAND_AWARENESS", "STORE_VISITS"])
        || case.goal_is(&["REACH"])
    {
        let message = "COST_CAP is not listed for awareness and reach.";
        let fix = "Use LOWEST_COST_WITHOUT_CAP or LOWEST_COST_WITH_BID_CAP.";
        out.add(Rule::CostCapGoal, at!["ad_set", "bid_strategy"], message, fix);
    }
}

fn min_roas(case: &Case<'_>, amount: Option<i64>, out: &mut Findings) {
    if amount.is_some() {
        let message = "LOWEST_COST_WITH_MIN_ROAS takes a floor for the return, and no bid_amount.";
        out.add(Rule::BidAmountForbidden, at!["ad_set", "bid_amount"], message, "Leave bid_amount out.");
    }
    let path = || at!["ad_set", "bid_constraints", "roas_average_floor"];
    let fix = "Send bid_constraints {\"roas_average_floor\": n}, n being ten thousand times the return, 100 to 10000000.";
    match case
        .merged(|ad_set| ad_set.bid_constraints.as_ref())
        .and_then(|constraints| constraints.roas_average_floor)
    {
        None => {
            let message = "LOWEST_COST_WITH_MIN_ROAS needs the least return.";
            out.add(Rule::MinRoasFloorMissing, path(), message, fix);
        }
        Some(floor) if !ROAS_FLOOR.contains(&floor) => {
            let message = format!("roas_average_floor is {floor}, outside of 100 to 10000000.");
            out.add(Rule::MinRoasFloorRange, path(), message, fix);
        }
        Some(_) => {}
    }
    if let Some(goal) = case.goal.filter(|goal| goal.text != "VALUE") {
        let message = format!("LOWEST_COST_WITH_MIN_ROAS needs the goal VALUE, not {}.", goal.text);
        out.add(
            Rule::MinRoasGoal,
            at!["ad_set", "optimization_goal"],
            message,
            "Set optimization_goal to VALUE.",
        );
    } else if case.goal.is_none() {
        let message = "LOWEST_COST_WITH_MIN_ROAS needs the goal VALUE.";
        out.add(
            Rule::MinRoasGoal,
            at!["ad_set", "optimization_goal"],
            message,
            "Set optimization_goal to VALUE.",
        )
        .at_most(Severity::Warn);
    }
}
