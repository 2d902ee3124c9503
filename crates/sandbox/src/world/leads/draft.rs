//! From what a form is made with to how Meta reads it back. Source: graph-api/reference/page/leadgen_forms.

use serde_json::{Map, Value, json};

/// The readable fields of a form that is made from these parameters (already checked). Ids of its parts follow its own.
pub fn read_back(form_id: &str, given: &Map<String, Value>) -> Map<String, Value> {
    let number: u64 = form_id.parse().unwrap_or_default();
    let part = |index: usize, from: u64| (number + from + index as u64).to_string();
    let mut fields = Map::new();
    let questions = list(given.get("questions"));
    fields.insert(
        "questions".into(),
        questions.iter().enumerate().map(|(i, asked)| question(asked, &part(i, 1))).collect(),
    );
    fields.insert("legal_content".into(), legal_content(given, number));
    if let Some(url) = given.get("privacy_policy").and_then(|policy| policy.get("url")) {
        fields.insert("privacy_policy_url".into(), url.clone());
    }
    for (name, id) in [("context_card", 910), ("thank_you_page", 911)] {
        if let Some(Value::Object(part)) = given.get(name) {
            let mut part = part.clone();
            part.insert("id".into(), (number + id).to_string().into());
            fields.insert(name.into(), Value::Object(part));
        }
    }
    for name in ["follow_up_action_url", "question_page_custom_headline"] {
        if let Some(text) = given.get(name) {
            fields.insert(name.into(), text.clone());
        }
    }
    for name in ["is_optimized_for_quality", "block_display_for_non_targeted_viewer"] {
        fields.insert(name.into(), given.get(name).cloned().unwrap_or(Value::Bool(false)));
    }
    if let Some(Value::Object(map)) = given.get("tracking_parameters") {
        let rows = map.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        fields.insert("tracking_parameters".into(), rows);
    }
    fields
}

fn question(asked: &Value, id: &str) -> Value {
    let kind = text(asked, "type");
    let label = match text(asked, "label") {
        "" => usual_label(kind),
        label => label.to_owned(),
    };
    let key = match text(asked, "key") {
        "" if kind == "CUSTOM" => slug(&label),
        "" => usual_key(kind),
        key => key.to_owned(),
    };
    let mut question = json!({ "id": id, "key": key, "label": label, "type": kind });
    if let Some(options) = asked.get("options").and_then(Value::as_array) {
        question["options"] = options
            .iter()
            .map(|option| {
                let value = text(option, "value");
                let key = match text(option, "key") {
                    "" => slug(value),
                    key => key.to_owned(),
                };
                json!({ "key": key, "value": value })
            })
            .collect();
    }
    if let Some(context) = asked.get("inline_context") {
        question["inline_context"] = context.clone();
    }
    question
}

fn legal_content(given: &Map<String, Value>, number: u64) -> Value {
    let mut legal = json!({ "id": (number + 900).to_string() });
    if let Some(policy) = given.get("privacy_policy") {
        legal["privacy_policy"] = policy.clone();
    }
    if let Some(Value::Object(disclaimer)) = given.get("custom_disclaimer") {
        let mut disclaimer = disclaimer.clone();
        let checkboxes: Vec<Value> = list(disclaimer.get("checkboxes"))
            .iter()
            .enumerate()
            .map(|(i, checkbox)| {
                let label = text(checkbox, "text");
                let key = match text(checkbox, "key") {
                    "" => slug(label),
                    key => key.to_owned(),
                };
                json!({
                    "id": (number + 800 + i as u64).to_string(),
                    "key": key,
                    "text": label,
                    "is_required": checkbox.get("is_required").is_none_or(|required| required != false),
                    "is_checked_by_default": checkbox.get("is_checked_by_default").is_some_and(|on| on == true),
                })
            })
            .collect();
        disclaimer.insert("checkboxes".into(), checkboxes.into());
        legal["custom_disclaimer"] = Value::Object(disclaimer);
    }
    legal
}

/// The name of the answer to one of Meta's own questions.
fn usual_key(kind: &str) -> String {
    match kind {
        "PHONE" => "phone_number".to_owned(),
        "ZIP" => "zip_code".to_owned(),
        other => other.to_lowercase(),
    }
}

/// `FULL_NAME` → `Full name`.
fn usual_label(kind: &str) -> String {
    let words = usual_key(kind).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Meta makes keys of labels: lower case, underscores for spaces, other signs kept.
fn slug(label: &str) -> String {
    label.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_get_keys_and_labels_and_checkboxes_their_defaults() {
        let given = json!({
            "questions": [
                { "type": "PHONE" },
                { "type": "CUSTOM", "label": "How many  kilos?", "options": [{ "value": "Up to 10" }] },
            ],
            "custom_disclaimer": { "title": "T", "checkboxes": [{ "key": "news", "text": "News, please", "is_required": false }] },
        });
        let fields = read_back("800000000001000", given.as_object().unwrap());
        let questions = fields["questions"].as_array().unwrap();
        assert_eq!(
            (&questions[0]["key"], &questions[0]["label"]),
            (&json!("phone_number"), &json!("Phone number"))
        );
        assert_eq!(questions[1]["key"], "how_many_kilos?");
        assert_eq!(questions[1]["options"][0]["key"], "up_to_10");
        let checkbox = &fields["legal_content"]["custom_disclaimer"]["checkboxes"][0];
        assert_eq!(
            (&checkbox["is_required"], &checkbox["is_checked_by_default"]),
            (&json!(false), &json!(false))
        );
    }
}
