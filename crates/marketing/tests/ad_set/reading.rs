//! Reading documents as they come: numbers as texts, objects as JSON text, and what cannot be read.

use adjoin_marketing::ad_set::{self, InputError, Verdict};
use serde_json::{Value, json};

use crate::support::{check, now, sale};

fn unreadable(text: &str) -> InputError {
    ad_set::check(text.as_bytes(), now()).unwrap_err()
}

#[test]
fn numbers_may_be_texts() {
    let mut document = sale();
    document["ad_set"]["daily_budget"] = "2000".into();
    document["ad_set"]["campaign_id"] = json!(120_210_000_000_000_001_u64);
    document["ad_set"]["promoted_object"]["pixel_id"] = json!(1_234_567_890);
    document["ad_set"]["targeting"]["targeting_automation"]["advantage_audience"] = "0".into();
    document["campaign"]["is_adset_budget_sharing_enabled"] = "false".into();
    assert_eq!(check(&document).verdict, Verdict::Accept);
}

#[test]
fn objects_may_be_json_text_as_in_a_form_at_any_depth() {
    fn as_text(value: &mut Value) {
        *value = Value::from(value.to_string());
    }
    let mut document = sale();
    as_text(&mut document["ad_set"]["targeting"]["geo_locations"]);
    as_text(&mut document["ad_set"]["targeting"]);
    as_text(&mut document["ad_set"]["promoted_object"]);
    as_text(&mut document["campaign"]["special_ad_categories"]);
    assert_eq!(check(&document).verdict, Verdict::Accept, "{:#?}", check(&document));

    document["ad_set"]["promoted_object"] = json!("{\"pixel_id\": \"1234567890\"}");
    assert_eq!(check(&document).verdict, Verdict::Reject);
    document["ad_set"]["promoted_object"] = json!("{\"pixel_id\": ");
    let report = check(&document);
    assert_eq!(report.findings[0].dotted_path(), "ad_set.promoted_object");
}

#[test]
fn the_place_of_a_syntax_error_is_told() {
    let error =
        unreadable("{\n  \"ad_set\": {\n    \"name\": \"a\",\n    \"targeting\": {\"age_min\": 1x}\n  }\n}");
    assert_eq!((error.line, error.path.as_str()), (4, "ad_set.targeting"));
    assert!(error.column > 27, "{error}");
    assert!(error.to_string().starts_with("line 4, column "), "{error}");
}

#[test]
fn what_is_no_document_is_told() {
    assert_eq!(unreadable("{}").problem, "the document has no ad_set");
    for (text, place) in [
        ("{\"ad_set\":5}", (1, 11)),
        ("\u{feff}{\n  \"campaign\": {},\n  \"ad_set\":  5}", (3, 14)),
        ("{}", (1, 1)),
    ] {
        let error = unreadable(text);
        assert_eq!((error.line, error.column), place, "{error}");
    }
    assert_eq!(unreadable("{\"ad_set\": 5}").problem, "ad_set must be an object, and is a number");
    for text in ["[]", "5", "\"x\"", "null"] {
        assert!(unreadable(text).problem.starts_with("a document is an object"), "{text}");
    }
    for text in ["", "{", "{\"ad_set\": {}} x", "\u{feff}{}", "\u{feff}\u{feff}{\"ad_set\": {}}"] {
        unreadable(text);
    }
    assert!(ad_set::check(b"{\"ad_set\": {\"name\": \"\xff\"}}", now()).is_err());
}

#[test]
fn a_byte_order_mark_before_the_document_is_skipped() {
    let text = format!("\u{feff}{}", sale());
    assert_eq!(ad_set::check(text.as_bytes(), now()).unwrap().verdict, Verdict::Accept);
    assert_eq!(ad_set::check_str(&text, now()).unwrap().verdict, Verdict::Accept);
    assert!(ad_set::check(b"\xef\xbb\xbf{\"ad_set\": {\"name\": \"\xff\"}}", now()).is_err());
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = format!("{{\"ad_set\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    unreadable(&deep);
}

#[test]
fn what_is_around_the_ad_set_may_be_anything() {
    let mut document = sale();
    document["note"] = "mine".into();
    document["ad_account"]["business"] = json!({"id": "1"});
    let report = check(&document);
    assert_eq!(report.verdict, Verdict::Accept);
    assert_eq!(report.findings.len(), 1);
}
