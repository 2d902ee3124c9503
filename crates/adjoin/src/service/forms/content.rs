//! What Meta says about a form, and what of it makes a version.

use aws_lc_rs::digest;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Counts;

/// What every form is asked for.
pub const HEAD: &str =
    "id,name,status,page_id,created_time,leads_count,organic_leads_count,expired_leads_count";
/// What leads answer: a change of it is a new version. Source: the SDK's LeadgenForm.
pub const CONTENT: [&str; 13] = [
    "allow_organic_lead",
    "block_display_for_non_targeted_viewer",
    "context_card",
    "follow_up_action_text",
    "follow_up_action_url",
    "is_optimized_for_quality",
    "legal_content",
    "locale",
    "privacy_policy_url",
    "question_page_custom_headline",
    "questions",
    "thank_you_page",
    "tracking_parameters",
];

/// How much is asked for. A version of Meta's may refuse a field by name; the form is then read without the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    All,
    Questions,
    Head,
}

impl Fields {
    pub const ALL: [Self; 3] = [Self::All, Self::Questions, Self::Head];

    /// The value of `fields`.
    pub fn text(self) -> String {
        match self {
            Self::All => format!("{HEAD},{}", CONTENT.join(",")),
            Self::Questions => format!("{HEAD},questions"),
            Self::Head => HEAD.to_owned(),
        }
    }
}

/// A form as Meta shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct AtMeta {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub page_id: Option<Value>,
    #[serde(default)]
    leads_count: Option<Value>,
    #[serde(default)]
    organic_leads_count: Option<Value>,
    #[serde(default)]
    expired_leads_count: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl AtMeta {
    pub fn counts(&self) -> Counts {
        Counts {
            leads: self.leads_count.as_ref().and_then(number),
            organic: self.organic_leads_count.as_ref().and_then(number),
            expired: self.expired_leads_count.as_ref().and_then(number),
            with_expired: None,
        }
    }

    /// What leads answer, in one order whatever Meta's is; `None` when Meta told nothing of it.
    pub fn content(&self) -> Option<Value> {
        let mut content = Map::new();
        for name in CONTENT {
            if let Some(value) = self.rest.get(name).filter(|value| !value.is_null()) {
                content.insert(name.to_owned(), ordered(value));
            }
        }
        (!content.is_empty()).then_some(Value::Object(content))
    }
}

/// SHA-256 of the content as text.
pub fn hash(content: &Value) -> Vec<u8> {
    digest::digest(&digest::SHA256, content.to_string().as_bytes()).as_ref().to_vec()
}

/// The same with the members of every object in the order of their names.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            Value::Object(names.into_iter().map(|name| (name.clone(), ordered(&members[name]))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(ordered).collect()),
        other => other.clone(),
    }
}

/// Numbers come as numbers, and here and there as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(value: Value) -> AtMeta {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn counts_name_and_order_make_no_version_and_a_label_does() {
        let one = form(
            json!({"id": "1", "name": "a", "leads_count": 3, "questions": [{"key": "q", "label": "Colour?"}], "locale": "en_US"}),
        );
        let same = form(
            json!({"id": "1", "name": "b", "leads_count": "4", "locale": "en_US", "questions": [{"label": "Colour?", "key": "q"}]}),
        );
        let other =
            form(json!({"id": "1", "locale": "en_US", "questions": [{"key": "q", "label": "Color?"}]}));
        let of = |it: &AtMeta| hash(&it.content().unwrap());
        assert_eq!(of(&one), of(&same));
        assert_ne!(of(&one), of(&other));
        assert_eq!((one.counts().leads, same.counts().leads, other.counts().leads), (Some(3), Some(4), None));
        assert_eq!(form(json!({"id": "1", "status": "ACTIVE"})).content(), None);
    }
}
