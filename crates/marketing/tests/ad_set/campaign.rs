//! A campaign on its own, by the rules it has with an ad set.

use adjoin_marketing::ad_set::{self, Report, Severity, Verdict};
use serde_json::{Value, json};

use crate::support::{now, told};

fn check(document: &Value) -> Report {
    ad_set::check_campaign_value(document, now()).unwrap()
}

fn campaign() -> Value {
    json!({
        "campaign": {
            "name": "Autumn",
            "objective": "OUTCOME_SALES",
            "status": "PAUSED",
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": false,
        },
        "ad_account": {"currency": "USD"},
        "api_version": "v26.0",
    })
}

#[test]
fn what_is_right_is_accepted_and_no_ad_set_is_missed() {
    let report = check(&campaign());
    assert_eq!((report.verdict, report.findings.len()), (Verdict::Accept, 0), "{report:#?}");
    let alone = json!({"campaign": campaign()["campaign"]});
    assert_eq!(check(&alone).verdict, Verdict::Accept);
}

#[test]
fn each_rule_of_a_campaign_speaks() {
    let breaches = [
        ("name", json!(null), "CampaignNameMissing at campaign.name"),
        ("objective", json!(null), "CampaignObjectiveMissing at campaign.objective"),
        ("objective", json!("CONVERSIONS"), "LegacyObjective at campaign.objective"),
        ("objective", json!("SALES"), "MisspeltValue at campaign.objective"),
        ("status", json!("ARCHIVED"), "CampaignStatus at campaign.status"),
        ("special_ad_categories", json!(null), "SpecialCategoriesMissing at campaign.special_ad_categories"),
        (
            "special_ad_categories",
            json!(["ONLINE_GAMBLING_AND_GAMING"]),
            "SpecialCategoryCountryMissing at campaign.special_ad_category_country",
        ),
        (
            "is_adset_budget_sharing_enabled",
            json!(null),
            "BudgetSharingUnstated at campaign.is_adset_budget_sharing_enabled",
        ),
        ("daily_budget", json!(0), "BudgetNotPositive at campaign.daily_budget"),
        ("daily_budget", json!([]), "WrongType at campaign.daily_budget"),
        ("bid_strategy", json!("COST_CAP"), "BidStrategyNeedsBudget at campaign.bid_strategy"),
        ("spend_cap", json!(5), "SpendCapTooLow at campaign.spend_cap"),
    ];
    for (field, value, expected) in breaches {
        let mut document = campaign();
        document["campaign"][field] = value;
        assert_eq!(told(&check(&document), Severity::Warn), [expected]);
    }
}

#[test]
fn a_document_without_a_campaign_is_told() {
    let error = |document: Value| ad_set::check_campaign_value(&document, now()).unwrap_err();
    assert_eq!(error(json!({"ad_set": {}})).problem, "the document has no campaign");
    assert_eq!(error(json!({"campaign": 5})).problem, "campaign must be an object, and is a number");
}
