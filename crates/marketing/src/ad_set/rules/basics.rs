//! What every ad set needs, whatever it is for.

use super::super::findings::{Findings, Rule, at};
use super::super::legacy;
use super::case::Case;
use crate::versions;

pub(super) fn check(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    execution_options(case, out);
    if ad_set.date_format.is_some()
        && let Some(removal) =
            versions::removal("date_format").filter(|removal| removal.applies(case.version, case.now))
    {
        out.add(
            Rule::DateFormat,
            at!["ad_set", "date_format"],
            removal.what.as_str(),
            removal.instead.as_str(),
        );
    }
    if ad_set.existing_customer_budget_percentage.is_some_and(|share| share.0)
        && let Some(removal) = versions::removal("existing_customer_budget_percentage")
        && removal.applies(case.version, case.now)
    {
        let path = at!["ad_set", "existing_customer_budget_percentage"];
        out.add(Rule::ExistingCustomerBudget, path, removal.what.as_str(), removal.instead.as_str());
    }
    if case.is_update() {
        return;
    }
    if ad_set.name.as_deref().is_none_or(|name| name.trim().is_empty()) {
        out.add(Rule::NameMissing, at!["ad_set", "name"], "An ad set needs a name.", "Add name.");
    }
    if ad_set.campaign_id.is_none() && case.campaign.is_none() {
        out.add(
            Rule::CampaignMissing,
            at!["ad_set", "campaign_id"],
            "An ad set belongs to a campaign, and without its objective not every rule can be checked.",
            "Add campaign_id, and give the campaign to the check.",
        );
    } else if case.campaign.is_none() {
        out.add(
            Rule::CampaignMissing,
            at!["campaign"],
            "The campaign is not given, so what depends on its objective and budget cannot be checked for certain.",
            "Give the campaign to the check.",
        );
    }
    if let Some(id) = &ad_set.campaign_id
        && !id.is_numeric()
    {
        out.add(
            Rule::WrongType,
            at!["ad_set", "campaign_id"],
            format!("{} is not an id.", id.text()),
            "A campaign's id is digits only.",
        );
    }
    status(case, out);
    if ad_set.optimization_goal.is_none()
        && case.objective.is_none_or(|objective| legacy::objective(objective.text).is_none())
    {
        out.add(
            Rule::GoalMissing,
            at!["ad_set", "optimization_goal"],
            "Which goal Meta takes by itself is not documented for today's objectives.",
            "Add optimization_goal.",
        );
    }
    if ad_set.billing_event.is_none() {
        out.add(
            Rule::BillingEventMissing,
            at!["ad_set", "billing_event"],
            "Every guide requires billing_event.",
            "Add billing_event; IMPRESSIONS goes with every goal.",
        );
    }
}

fn status(case: &Case<'_>, out: &mut Findings) {
    match case.ad_set.status.as_deref() {
        Some(status @ ("DELETED" | "ARCHIVED")) => {
            out.add(
                Rule::StatusAtCreation,
                at!["ad_set", "status"],
                format!("An ad set cannot be created {status}."),
                "Use PAUSED or ACTIVE.",
            );
        }
        None => {
            out.add(
                Rule::StatusLeftOut,
                at!["ad_set", "status"],
                "Left out, Meta creates the ad set ACTIVE. Adjoin sends PAUSED.",
                "Say PAUSED or ACTIVE.",
            );
        }
        Some(_) => {}
    }
}

fn execution_options(case: &Case<'_>, out: &mut Findings) {
    let options = case.ad_set.execution_options.as_ref().map_or(&[][..], |list| &list.items);
    if let [only] = options
        && only == "include_recommendations"
    {
        out.add(
            Rule::ExecutionOptions,
            at!["ad_set", "execution_options"],
            "include_recommendations cannot stand alone.",
            "Add validate_only.",
        );
    }
}
