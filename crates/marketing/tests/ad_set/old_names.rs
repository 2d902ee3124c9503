//! The table a partner knows: promoted object by the old names.

use adjoin_marketing::ad_set::{Rule, Verdict, legacy};
use serde_json::{Value, json};

use crate::support::{check, document, found, promoted_object, rejects};

/// The eight names, each with its sufficient sets.
const TABLE: [(&str, &[&[&str]]); 8] = [
    (
        "CONVERSIONS",
        &[
            &["pixel_id"],
            &["pixel_id", "custom_event_type"],
            &["pixel_id", "pixel_rule", "custom_event_type"],
            &["event_id", "custom_event_type"],
            &["application_id", "object_store_url", "custom_event_type"],
            &["offline_conversion_data_set_id", "custom_event_type"],
        ],
    ),
    ("PAGE_LIKES", &[&["page_id"]]),
    ("OFFER_CLAIMS", &[&["page_id"]]),
    ("LINK_CLICKS", &[&["application_id", "object_store_url"]]),
    ("APP_INSTALLS", &[&["application_id", "object_store_url"]]),
    ("OFFSITE_CONVERSIONS", &[&["application_id", "object_store_url", "custom_event_type"]]),
    ("PRODUCT_CATALOG_SALES", &[&["product_set_id"], &["product_set_id", "custom_event_type"]]),
    ("LEAD_GENERATION", &[&["page_id"]]),
];

fn with_goal_only(name: &str, object: Value) -> Value {
    let mut document = document("", None, Some(name), object);
    document.as_object_mut().unwrap().remove("campaign");
    document
}

/// The old campaign exists already, as it does for everybody who still has one.
fn under_old_campaign(objective: &str, object: Value) -> Value {
    let mut document = document(objective, None, None, object);
    document["campaign"]["id"] = "120210000000000001".into();
    document
}

#[test]
fn the_data_hold_the_table() {
    for (name, sets) in TABLE {
        let row = legacy::name(name).unwrap();
        assert_eq!(row.any_of, sets, "{name}");
        assert!(!row.today.is_empty());
    }
}

#[test]
fn each_row_holds_when_the_name_is_given_as_the_goal() {
    for (name, sets) in TABLE {
        for set in sets {
            let report = check(&with_goal_only(name, promoted_object(name, set)));
            assert_eq!(rejects(&report), Vec::<String>::new(), "{name} {set:?}");
        }
    }
}

#[test]
fn each_row_holds_under_an_old_campaign_and_says_what_to_use_today() {
    for (name, sets) in TABLE {
        if name == "OFFSITE_CONVERSIONS" {
            continue;
        }
        for set in sets {
            let report = check(&under_old_campaign(name, promoted_object(name, set)));
            assert_eq!(report.verdict, Verdict::Warn, "{name} {set:?} {report:#?}");
            let old = found(&report, Rule::LegacyCampaign).unwrap();
            assert!(old.fix.contains("OUTCOME_"), "{}", old.fix);
        }
    }
}

#[test]
fn names_that_are_no_goals_are_translated() {
    for name in ["CONVERSIONS", "OFFER_CLAIMS", "PRODUCT_CATALOG_SALES"] {
        let sets = TABLE.iter().find(|(row, _)| *row == name).unwrap().1;
        let report = check(&with_goal_only(name, promoted_object(name, sets[0])));
        let told = found(&report, Rule::ObjectiveAsGoal).unwrap();
        assert!(told.fix.contains("OUTCOME_"), "{}", told.fix);
    }
}

#[test]
fn nothing_in_the_promoted_object_is_rejected_and_the_field_named() {
    for (name, sets) in TABLE {
        // Clicks on a website need nothing.
        if name == "LINK_CLICKS" {
            continue;
        }
        for document in [with_goal_only(name, json!({})), under_old_campaign(name, json!({}))] {
            if name == "OFFSITE_CONVERSIONS" && document.get("campaign").is_some() {
                continue;
            }
            let report = check(&document);
            assert_eq!(report.verdict, Verdict::Reject, "{name}");
            let missing = found(&report, Rule::PromotedObjectMissing).unwrap();
            let named = sets
                .iter()
                .any(|set| missing.fix == format!("Add promoted_object with {}.", set.join(" and ")));
            assert!(named || name == "OFFSITE_CONVERSIONS", "{name}: {missing:?}");
        }
    }
}

#[test]
fn an_old_objective_cannot_be_created_today() {
    let whole = document("CONVERSIONS", None, Some("OFFSITE_CONVERSIONS"), json!({"pixel_id": "1"}));
    let report = check(&whole);
    assert_eq!(rejects(&report), ["LegacyObjective at campaign.objective"]);
    let told = found(&report, Rule::LegacyObjective).unwrap();
    assert!(told.message.contains("v17.0") && told.fix.contains("OUTCOME_SALES"));
}

#[test]
fn in_its_own_time_an_old_objective_was_right() {
    let mut whole = document("PAGE_LIKES", None, Some("PAGE_LIKES"), json!({"page_id": "1"}));
    whole["api_version"] = "v16.0".into();
    let report = check(&whole);
    assert_eq!(rejects(&report), Vec::<String>::new());
    assert!(found(&report, Rule::LegacyName).is_some());
}
