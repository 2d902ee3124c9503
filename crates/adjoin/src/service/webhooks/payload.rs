//! What Meta posts, taken apart. Sources: graph-api/webhooks/getting-started, lead-ads/retrieving, ads-webhooks.

use serde_json::{Map, Number, Value, json};

use crate::{service::leads, time::Timestamp};

/// One change of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `page` or `ad_account`.
    pub object: String,
    /// Of the Page or the ad account, the latter without `act_`.
    pub object_id: String,
    /// When Meta sent it.
    pub sent_at: Option<Timestamp>,
    pub field: String,
    pub value: Value,
    /// Meta said that the field changed, and not what: `include_values` is off.
    pub without_values: bool,
    /// A body with this change alone, as Meta would have posted it.
    pub whole: Value,
}

/// The longest word of Meta's that is kept.
const LONGEST: usize = 100;

/// All changes of a body, those that cannot be understood among them: they have no field. `None` when it is no body of
/// changes at all.
pub fn read(body: &[u8]) -> Option<Vec<Change>> {
    let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let object = word(body.get("object")?);
    let entries = body.get("entry")?.as_array()?;
    Some(entries.iter().flat_map(|entry| of_entry(&object, entry)).collect())
}

fn of_entry(object: &str, entry: &Value) -> Vec<Change> {
    let id = entry.get("id").and_then(id).unwrap_or_default();
    let object_id = id.strip_prefix("act_").unwrap_or(&id).to_owned();
    let sent_at = leads::time(entry.get("time"));
    let change = |field: String, value: Value, change: Value| Change {
        object: object.to_owned(),
        object_id: object_id.clone(),
        sent_at,
        field,
        value,
        without_values: false,
        whole: json!({ "object": object, "entry": [{ "id": id, "time": entry.get("time"), "changes": [change] }] }),
    };
    if let Some(changes) = entry.get("changes").and_then(Value::as_array) {
        let with_value = |it: &Value| {
            let field = it.get("field").map(word).unwrap_or_default();
            change(field, it.get("value").cloned().unwrap_or_default(), it.clone())
        };
        return changes.iter().map(with_value).collect();
    }
    // Without `include_values` there are only names; other products' entries have neither.
    let names = entry.get("changed_fields").and_then(Value::as_array);
    let fields: Vec<String> = names.into_iter().flatten().map(word).collect();
    vec![Change {
        without_values: !fields.is_empty(),
        whole: json!({ "object": object, "entry": [entry] }),
        ..change(word(&json!(fields.join(", "))), Value::Null, Value::Null)
    }]
}

/// An id of digits, whether Meta wrote a number or text.
pub fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let digits = text.strip_prefix("act_").unwrap_or(&text);
    let fits = (1..=LONGEST).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(text)
}

/// The same with ids as text: Meta writes many as numbers, and beyond 2^53 JavaScript reads another one.
pub fn with_ids_as_text(value: &Value) -> Value {
    fn of(value: &Value, is_id: bool) -> Value {
        match value {
            Value::Number(number) if is_id || is_beyond_javascript(number) => json!(number.to_string()),
            Value::Array(all) => all.iter().map(|it| of(it, is_id)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, it)| {
                    let is_id = name == "id" || name.ends_with("_id") || name.ends_with("_ids");
                    (name.clone(), of(it, is_id))
                })
                .collect(),
            other => other.clone(),
        }
    }
    fn is_beyond_javascript(number: &Number) -> bool {
        const SAFE: u64 = 1 << 53;
        number.as_i64().is_some_and(|it| it.unsigned_abs() > SAFE)
            || number.as_u64().is_some_and(|it| it > SAFE)
    }
    of(value, false)
}

/// A word that can be stored and shown, whatever was sent.
fn word(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars().filter(|it| !it.is_control()).take(LONGEST).collect()
}

/// Whether it comes from the *Test* button of Meta's dashboard: the object is 0, or made of one digit.
pub fn is_dashboard_test(change: &Change) -> bool {
    let made_up = |id: &str| {
        let first = id.as_bytes().first();
        id == "0" || (id.len() >= 9 && id.bytes().all(|byte| Some(&byte) == first))
    };
    let page = change.value.get("page_id").and_then(id);
    made_up(&change.object_id) || page.as_deref().is_some_and(made_up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Meta's page on retrieving leads has it: two changes of one entry.
    const LEADGEN: &str = r#"{"object":"page","entry":[{"id":153125381133,"time":1438292065,"changes":[
        {"field":"leadgen","value":{"leadgen_id":123123123123,"page_id":123123123,"form_id":12312312312,
         "adgroup_id":12312312312,"ad_id":12312312312,"created_time":1440120384}},
        {"field":"leadgen","value":{"leadgen_id":"55459717045641545","page_id":"123123123","form_id":"12312312312",
         "created_time":"1440120384"}}]}]}"#;

    #[test]
    fn ids_become_text_and_other_numbers_stay() {
        let value = json!({
            "ad_object_ids": [120_230_000_000_000_004_u64], "id": 7, "spend": 12, "big": 9_007_199_254_740_993_u64,
            "of": { "page_id": 3, "level": "AD", "share": 0.5, "ids": null },
        });
        let text = json!({
            "ad_object_ids": ["120230000000000004"], "id": "7", "spend": 12, "big": "9007199254740993",
            "of": { "page_id": "3", "level": "AD", "share": 0.5, "ids": null },
        });
        assert_eq!(with_ids_as_text(&value), text);
    }

    #[test]
    fn every_change_of_every_entry_is_read() {
        let changes = read(LEADGEN.as_bytes()).unwrap();
        assert_eq!(changes.len(), 2);
        assert_eq!((changes[0].object.as_str(), changes[0].object_id.as_str()), ("page", "153125381133"));
        assert_eq!(id(&changes[0].value["leadgen_id"]).as_deref(), Some("123123123123"));
        assert_eq!(id(&changes[1].value["leadgen_id"]).as_deref(), Some("55459717045641545"));
        for change in &changes {
            let again = read(change.whole.to_string().as_bytes()).unwrap();
            assert_eq!(again, std::slice::from_ref(change), "a change alone reads as itself");
        }
    }

    #[test]
    fn the_dashboards_test_is_recognised() {
        let test = |body: &str| read(body.as_bytes()).unwrap().iter().all(is_dashboard_test);
        assert!(test(
            r#"{"object":"page","entry":[{"id":"0","time":1,"changes":[{"field":"leadgen","value":{"ad_id":"444444444",
            "form_id":"444444444444","leadgen_id":"444444444444","page_id":"444444444444"}}]}]}"#
        ));
        assert!(!test(LEADGEN));
    }

    #[test]
    fn what_is_no_change_has_no_field_and_stays_whole() {
        let body = r#"{"object":"page","entry":[{"id":"12","messaging":[{"message":{"text":"hi"}}]}]}"#;
        let changes = read(body.as_bytes()).unwrap();
        assert_eq!(changes[0].field, "");
        assert_eq!(changes[0].whole["entry"][0]["messaging"][0]["message"]["text"], "hi");
        for unreadable in ["", "[]", "{}", r#"{"object":"page"}"#, r#"{"object":"page","entry":{}}"#, "\u{0}"]
        {
            assert_eq!(read(unreadable.as_bytes()), None, "{unreadable}");
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(
                    ("object|entry|id|time|changes|field|value|leadgen_id|.*", inner),
                    0..5
                )
                .prop_map(|rows| Value::Object(rows.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes: Vec<u8>, value in json_value(), entries in prop::collection::vec(json_value(), 0..4)) {
            let _ = read(&bytes);
            let _ = read(value.to_string().as_bytes());
            let body = json!({ "object": "page", "entry": entries });
            let changes = read(body.to_string().as_bytes()).unwrap();
            prop_assert!(changes.iter().all(|it| !it.object_id.contains('\0') && it.field.len() <= 4 * LONGEST));
            let _: Vec<bool> = changes.iter().map(is_dashboard_test).collect();
            let _: Vec<Option<String>> = changes.iter().map(|it| id(&it.value)).collect();
        }
    }
}
