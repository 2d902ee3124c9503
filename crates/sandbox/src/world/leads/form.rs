use std::sync::Arc;

use serde_json::{Map, Value};

/// A lead form ("instant form"). What people are asked never changes after it was made: Meta's forms cannot be edited.
#[derive(Debug, Clone)]
pub struct Form {
    pub id: String,
    pub page_id: String,
    pub name: String,
    pub locale: String,
    pub archived: bool,
    /// Unix seconds.
    pub created: i64,
    /// Everything else as Meta would read it back: `questions`, `legal_content`, `thank_you_page`, ...
    pub fields: Arc<Map<String, Value>>,
}

/// A question of a form.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The name of the answer in a lead's `field_data`.
    pub key: &'a str,
    pub label: &'a str,
    /// `FULL_NAME`, `EMAIL`, `CUSTOM`, ...
    pub kind: &'a str,
    /// Explains the question, below it.
    pub context: &'a str,
    options: &'a [Value],
}

impl<'a> Question<'a> {
    /// Key and text of each choice; none where the answer is free.
    pub fn options(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.options.iter().map(|option| (text(option, "key"), text(option, "value")))
    }

    pub fn has_options(&self) -> bool {
        !self.options.is_empty()
    }
}

/// A checkbox of a form's disclaimer.
#[derive(Debug, Clone, Copy)]
pub struct Checkbox<'a> {
    pub key: &'a str,
    pub text: &'a str,
    pub required: bool,
    pub checked_by_default: bool,
}

impl Form {
    pub fn status(&self) -> &'static str {
        if self.archived { "ARCHIVED" } else { "ACTIVE" }
    }

    pub fn questions(&self) -> impl Iterator<Item = Question<'_>> {
        list(self.fields.get("questions")).iter().map(|question| Question {
            key: text(question, "key"),
            label: text(question, "label"),
            kind: text(question, "type"),
            context: text(question, "inline_context"),
            options: list(question.get("options")),
        })
    }

    /// The disclaimer with its title, text and checkboxes.
    pub fn disclaimer(&self) -> Option<&Value> {
        self.fields.get("legal_content")?.get("custom_disclaimer")
    }

    pub fn checkboxes(&self) -> impl Iterator<Item = Checkbox<'_>> {
        list(self.disclaimer().and_then(|disclaimer| disclaimer.get("checkboxes"))).iter().map(|checkbox| {
            Checkbox {
                key: text(checkbox, "key"),
                text: text(checkbox, "text"),
                required: checkbox["is_required"] == true,
                checked_by_default: checkbox["is_checked_by_default"] == true,
            }
        })
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
