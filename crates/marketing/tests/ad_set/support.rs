//! What the tests of the ad set check share.

use adjoin_marketing::ad_set::{self, Finding, Report, Rule, Severity, Verdict};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The moment at which the tests take place.
pub fn now() -> Timestamp {
    "2026-11-24T08:00:00Z".parse().unwrap()
}

pub fn check(document: &Value) -> Report {
    ad_set::check_value(document, now()).unwrap()
}

/// A whole document for these words and this promoted object, with nothing to complain about around them.
#[expect(clippy::needless_pass_by_value, reason = "the callers make the object on the spot")]
pub fn document(
    objective: &str,
    destination: Option<&str>,
    goal: Option<&str>,
    promoted_object: Value,
) -> Value {
    let mut ad_set = json!({
        "name": "Autumn",
        "campaign_id": "120210000000000001",
        "status": "PAUSED",
        "billing_event": "IMPRESSIONS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "daily_budget": 2000,
        "promoted_object": promoted_object,
        "targeting": {
            "geo_locations": {"countries": ["US"]},
            "age_min": 18,
            "age_max": 65,
            "targeting_automation": {"advantage_audience": 0},
        },
    });
    if let Some(destination) = destination {
        ad_set["destination_type"] = destination.into();
    }
    if let Some(goal) = goal {
        ad_set["optimization_goal"] = goal.into();
    }
    json!({
        "ad_set": ad_set,
        "campaign": {
            "name": "Autumn",
            "objective": objective,
            "status": "PAUSED",
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": false,
            "promoted_object": {"product_catalog_id": "1"},
        },
        "ad_account": {"currency": "USD", "min_daily_budget": 100},
        "api_version": "v26.0",
    })
}

/// A sale on a website: everything is right with it.
pub fn sale() -> Value {
    let pixel = json!({"pixel_id": "1234567890", "custom_event_type": "PURCHASE"});
    document("OUTCOME_SALES", Some("WEBSITE"), Some("OFFSITE_CONVERSIONS"), pixel)
}

/// A value for a field of a promoted object.
pub fn value_of(field: &str) -> Value {
    match field {
        "object_store_url" => json!("https://play.google.com/store/apps/details?id=com.example"),
        "custom_event_str" => json!("level_up"),
        "pixel_rule" => json!("{\"event\":{\"eq\":\"Purchase\"}}"),
        "omnichannel_object" => json!({"app": [{"application_id": "1"}], "pixel": [{"pixel_id": "1"}]}),
        _ => json!("1234567890"),
    }
}

/// A promoted object with these fields, and an event the objective takes.
pub fn promoted_object(objective: &str, fields: &[&str]) -> Value {
    let mut object = json!({});
    for field in fields {
        object[*field] = match *field {
            "custom_event_type" if fields.contains(&"custom_event_str") => json!("OTHER"),
            "custom_event_type" => json!(match objective {
                "OUTCOME_LEADS" => "COMPLETE_REGISTRATION",
                "OUTCOME_ENGAGEMENT" => "CONTACT",
                _ => "PURCHASE",
            }),
            field => value_of(field),
        };
    }
    object
}

pub fn found(report: &Report, rule: Rule) -> Option<&Finding> {
    report.findings.iter().find(|finding| finding.rule == rule)
}

/// Findings of the gravest kind, as `rule at path`.
pub fn rejects(report: &Report) -> Vec<String> {
    told(report, Severity::Reject)
}

pub fn told(report: &Report, least: Severity) -> Vec<String> {
    let grave = report.findings.iter().filter(|finding| finding.severity >= least);
    grave.map(|finding| format!("{:?} at {}", finding.rule, finding.dotted_path())).collect()
}

pub fn assert_accepts(document: &Value) {
    let report = check(document);
    assert_eq!(report.verdict, Verdict::Accept, "{document:#}\n{report:#?}");
}
