//! What every ad set needs, whatever it is for.

use super::super::findings::{Findings, Rule, Severity, at};
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
    // An update may leave the name as it is, and cannot empty it.
    if ad_set.name.as_deref().map_or(!case.is_update(), |name| name.trim().is_empty()) {
        out.add(Rule::NameMissing, at!["ad_set", "name"], "An ad set needs a name.", "Add name.");
    }
    if case.is_update() {
        return;
    }
    campaign(case, out);
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

/// An ad set says which campaign it belongs to, or brings it along.
fn campaign(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    let path = || at!["ad_set", "campaign_id"];
    match (&ad_set.campaign_id, case.campaign) {
        (None, None) => {
            out.add(
                Rule::CampaignMissing,
                path(),
                "An ad set belongs to a campaign: it needs campaign_id, or campaign_spec for a new one.",
                "Add campaign_id, and give the campaign to the check.",
            );
        }
        (None, Some(campaign)) if !case.campaign_in_spec && ad_set.campaign_spec.is_none() => {
            let finding = out.add(
                Rule::CampaignMissing,
                path(),
                "The campaign is given to the check, but the ad set does not say that it belongs to it.",
                "Add campaign_id, or campaign_spec for a new campaign.",
            );
            // A campaign that is yet to be made has no id to name.
            if campaign.id.is_none() {
                finding.at_most(Severity::Warn);
            }
        }
        (Some(_), None) => {
            out.add(
                Rule::CampaignMissing,
                at!["campaign"],
                "The campaign is not given, so what depends on its objective and budget cannot be checked for certain.",
                "Give the campaign to the check.",
            )
            .at_most(Severity::Warn);
        }
        (Some(named), Some(campaign)) => {
            if let Some(given) = campaign.id.as_ref().filter(|given| given.text() != named.text()) {
                out.add(
                    Rule::CampaignMismatch,
                    path(),
                    format!(
                        "The ad set belongs to the campaign {}, and the one that is given is {}.",
                        named.text(),
                        given.text()
                    ),
                    "Give the campaign the ad set belongs to.",
                );
            }
        }
        _ => {}
    }
    if let Some(id) = &ad_set.campaign_id
        && !id.is_numeric()
    {
        out.add(
            Rule::WrongType,
            path(),
            format!("{} is not an id.", id.text()),
            "A campaign's id is digits only.",
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
