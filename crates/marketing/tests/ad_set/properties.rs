//! What holds for every input.

use adjoin_marketing::Mark;
use adjoin_marketing::ad_set::{self, Severity, Verdict, mapping_rows, promoted_object_sets};
use adjoin_marketing::vocabulary::{Kind, vocabulary};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::support::{check, document, now, promoted_object, sale};

/// Fields that promote something, so that random objects often mean something.
const FIELDS: [&str; 12] = [
    "page_id",
    "pixel_id",
    "custom_event_type",
    "application_id",
    "object_store_url",
    "product_set_id",
    "custom_event_str",
    "custom_conversion_id",
    "offline_conversion_data_set_id",
    "omnichannel_object",
    "place_page_set_id",
    "event_id",
];

fn words(kind: Kind) -> impl Strategy<Value = String> {
    select(vocabulary(kind).values.clone())
}

/// Any JSON, with keys and words that the rules know among it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[\\[{\"a-z:0-9,\\]}]{0,20}".prop_map(Value::from),
        words(Kind::Objective).prop_map(Value::from),
        words(Kind::OptimizationGoal).prop_map(Value::from),
        words(Kind::BidStrategy).prop_map(Value::from),
        select(vec!["US", "DE", "TW", "v26.0", "v1.0", "{}", "[]"]).prop_map(Value::from),
    ];
    let key = prop_oneof![
        words(Kind::AdSetParameter),
        words(Kind::CampaignParameter),
        select(FIELDS.to_vec()).prop_map(str::to_owned),
        select(vec![
            "ad_set",
            "campaign",
            "existing",
            "ad_account",
            "geo_locations",
            "countries",
            "cities",
            "radius",
            "days",
            "age_min"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key.clone(), inner.clone()), 0..10)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = ad_set::check(&bytes, now());
    }

    #[test]
    fn no_json_panics(ad_set in any_json(), campaign in any_json(), existing in any_json(), account in any_json()) {
        let document = json!({"ad_set": ad_set, "campaign": campaign, "existing": existing, "ad_account": account});
        let _ = ad_set::check(document.to_string().as_bytes(), now());
        let _ = ad_set::check(json!({"ad_set": document}).to_string().as_bytes(), now());
    }

    #[test]
    fn no_lead_form_and_no_alert_panics(
        given in vec((prop_oneof![
            select(vec!["questions", "privacy_policy", "locale", "context_card", "filters", "field", "operator", "value"])
                .prop_map(str::to_owned),
            Just("event_type".to_owned()),
        ], any_json()), 0..8),
        event in select(vec!["OBJECT_CREATED", "OBJECT_UPDATED", "INSIGHTS_UPDATED", "INSIGHTS_MILESTONE_REACHED"]),
    ) {
        let mut arguments: Map<String, Value> = given.into_iter().collect();
        let _ = adjoin_marketing::lead_form::check(&arguments);
        let _ = adjoin_marketing::ad_alert::check(&arguments);
        arguments.insert("event_type".to_owned(), Value::from(event));
        let _ = adjoin_marketing::ad_alert::check(&arguments);
    }

    #[test]
    fn a_broken_document_never_panics(at in 0usize..1500, byte in any::<u8>()) {
        let mut text = sale().to_string().into_bytes();
        let at = at % text.len();
        text[at] = byte;
        let _ = ad_set::check(&text, now());
        let _ = ad_set::check(&text[..at], now());
    }

    /// What is accepted has one complete set of the table, and an event its objective takes.
    #[test]
    fn what_is_accepted_satisfies_the_table(
        row in select(mapping_rows().iter().collect::<Vec<_>>()),
        place in any::<prop::sample::Index>(),
        goal in any::<prop::sample::Index>(),
        fields in subsequence(FIELDS.to_vec(), 0..=4),
    ) {
        let destination = place.get(&row.destinations).as_str();
        let destination = (destination != "none").then_some(destination);
        let goal = goal.get(&row.goals);
        let report = check(&document(&row.objective, destination, Some(goal), promoted_object(&row.objective, &fields)));
        let sets = promoted_object_sets(&row.objective, destination, goal);
        let complete = |set: &ad_set::Alternative| set.fields().all(|field| fields.contains(&field));
        if report.verdict == Verdict::Accept {
            let certain = sets.iter().any(|set| complete(set) && matches!(set.mark, Mark::Documented | Mark::Inferred));
            prop_assert!(certain, "{fields:?} {report:#?}");
        }
        if !sets.iter().any(complete) {
            let documented = sets.iter().any(|set| set.mark == Mark::Documented);
            let least = if documented { Verdict::Reject } else { Verdict::Warn };
            prop_assert!(report.verdict >= least, "{fields:?} {report:#?}");
        }
    }

    /// Without a field that is documented to be required, what was accepted is rejected, and the field is named.
    #[test]
    fn without_a_required_field_what_was_accepted_is_rejected(
        row in select(mapping_rows().iter().collect::<Vec<_>>()),
        place in any::<prop::sample::Index>(),
        goal in any::<prop::sample::Index>(),
        set in any::<prop::sample::Index>(),
    ) {
        let destination = place.get(&row.destinations).as_str();
        let destination = (destination != "none").then_some(destination);
        let fields: Vec<&str> = set.get(&row.any_of).iter().map(String::as_str).collect();
        let goal = goal.get(&row.goals);
        let whole = document(&row.objective, destination, Some(goal), promoted_object(&row.objective, &fields));
        prop_assume!(check(&whole).verdict == Verdict::Accept);
        for field in ["name", "campaign_id", "targeting", "billing_event", "daily_budget"] {
            let mut rest = whole.clone();
            rest["ad_set"].as_object_mut().unwrap().remove(field);
            if field == "campaign_id" {
                rest["campaign"]["id"] = "120210000000000001".into();
            }
            let report = check(&rest);
            let path = format!("ad_set.{field}");
            let named = report
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Reject && finding.dotted_path() == path);
            prop_assert!(named, "{field} is not named: {report:#?}");
        }
    }

    /// The verdict is that of the gravest finding, and the gravest come first.
    #[test]
    fn the_verdict_follows_the_findings(ad_set in any_json(), campaign in any_json()) {
        let document = json!({"ad_set": {"targeting": ad_set, "name": "n"}, "campaign": campaign});
        let Ok(report) = ad_set::check(document.to_string().as_bytes(), now()) else { return Ok(()) };
        let gravest = report.findings.iter().map(|finding| finding.severity).max();
        let verdict = match gravest {
            Some(Severity::Reject) => Verdict::Reject,
            Some(Severity::Warn) => Verdict::Warn,
            _ => Verdict::Accept,
        };
        prop_assert_eq!(report.verdict, verdict);
        prop_assert!(report.findings.is_sorted_by(|one, other| one.severity >= other.severity));
    }

    /// The same document says the same as form fields.
    #[test]
    fn form_fields_say_the_same(fields in subsequence(FIELDS.to_vec(), 0..=4), age in 10i64..70) {
        let mut whole = document("OUTCOME_SALES", None, Some("OFFSITE_CONVERSIONS"), promoted_object("OUTCOME_SALES", &fields));
        whole["ad_set"]["targeting"]["age_min"] = age.into();
        let plain = check(&whole);
        for key in ["promoted_object", "targeting"] {
            whole["ad_set"][key] = whole["ad_set"][key].to_string().into();
        }
        whole["ad_set"]["daily_budget"] = whole["ad_set"]["daily_budget"].to_string().into();
        prop_assert_eq!(plain, check(&whole));
    }
}
