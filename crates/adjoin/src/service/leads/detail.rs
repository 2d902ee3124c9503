//! What Meta answers for a lead. Sources: lead-ads/retrieving, and the SDK's `Lead`.

use serde_json::Value;

use crate::time::Timestamp;

/// What Meta's testing tool writes into a test lead's answers, unless a person chose others. Nothing else in a lead marks it.
const DUMMY: &str = "<test lead: dummy data";

/// An id that Meta writes as a number or as text.
pub fn id(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        // Beyond 2^53 too: `serde_json` keeps whole numbers of 64 bits.
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    // Organic leads name ad 0; PostgreSQL takes no text with a NUL.
    (!text.is_empty() && text != "0" && !text.contains('\0')).then_some(text)
}

/// `2026-11-24T10:00:00+0000`, or Unix seconds.
pub fn time(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::Number(seconds) => seconds.as_i64().map(Timestamp::from_unix),
        Value::String(text) => text.parse::<i64>().ok().map(Timestamp::from_unix).or_else(|| {
            let read = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok();
            read.or_else(|| text.parse().ok()).map(Timestamp)
        }),
        _ => None,
    }
}

/// Whether it is a test lead by its answers. With a person's own answers only the form's list of test leads tells.
pub fn is_test(lead: &Value) -> bool {
    let answers = lead["field_data"].as_array().into_iter().flatten();
    let mut values = answers.flat_map(|answer| answer["values"].as_array().into_iter().flatten());
    values.any(|value| value.as_str().is_some_and(|text| text.starts_with(DUMMY)))
}

/// Whether it may be a test lead although its answers do not say so: those come through no ad.
pub fn maybe_a_test(lead: &Value) -> bool {
    id(lead.get("ad_id")).is_none() && !is_test(lead)
}

/// A truth that Meta writes as a boolean, as 1 and 0, or as `"1"` and `""`.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) => Some(!matches!(text.as_str(), "" | "0" | "false")),
        _ => None,
    }
}

pub fn text(lead: &Value, name: &str) -> Option<String> {
    lead[name].as_str().filter(|text| !text.is_empty() && !text.contains('\0')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_come_as_numbers_and_as_text_without_loss() {
        assert_eq!(id(Some(&json!(55_459_717_045_641_545_i64))).as_deref(), Some("55459717045641545"));
        assert_eq!(id(Some(&json!("55459717045641545"))).as_deref(), Some("55459717045641545"));
        for nothing in [json!(0), json!("0"), json!(""), json!(null), json!([1])] {
            assert_eq!(id(Some(&nothing)), None);
        }
    }

    #[test]
    fn times_come_in_both_forms() {
        let at = Timestamp::from_unix(1_795_514_400);
        for given in [json!("2026-11-24T10:00:00+0000"), json!(1_795_514_400), json!("1795514400")] {
            assert_eq!(time(Some(&given)), Some(at), "{given}");
        }
        assert_eq!(time(Some(&json!("soon"))), None);
    }

    #[test]
    fn consents_are_strings_at_meta() {
        for (given, read) in [(json!("1"), true), (json!(""), false), (json!(true), true), (json!(0), false)]
        {
            assert_eq!(truth(&given), Some(read));
        }
    }

    proptest! {
        #[test]
        fn reading_a_lead_never_panics(
            text: String,
            number: i64,
            answer in r#"\{"(field_data|is_organic|platform)":(\[?\{"(name|values)":(\[("[^"\\]{0,9}"|null|[0-9]{1,25})\]|null)\}\]?|"[^"\\]{0,9}"|null)\}"#,
        ) {
            let lead: Value = serde_json::from_str(&answer).unwrap_or_default();
            for value in [&json!(text), &json!(number), &lead] {
                let _ = (id(Some(value)), time(Some(value)), truth(value), is_test(value));
                let _ = (super::text(value, "platform"), truth(&value["is_organic"]), maybe_a_test(value));
            }
        }

        #[test]
        fn any_number_of_64_bits_is_kept(number in 1_u64..) {
            prop_assert_eq!(id(Some(&json!(number))), Some(number.to_string()));
        }
    }
}
