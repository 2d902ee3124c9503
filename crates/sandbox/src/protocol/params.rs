use serde_json::{Map, Value};

/// Parameters of a call. Values keep the type they came with: text from queries and forms, JSON from JSON bodies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(pub Map<String, Value>);

impl Params {
    /// The parameter as text; numbers and booleans as they would stand in a query.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The parameter as JSON: text that holds a JSON object, list, number or boolean is read as such.
    pub fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => {
                Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
            }
            other => Some(other.clone()),
        }
    }

    /// A list, whether it came as JSON or separated by commas.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.json(name)? {
            Value::Array(items) => Some(
                items.into_iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect(),
            ),
            Value::String(text) => {
                Some(text.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect())
            }
            other => Some(vec![other.to_string()]),
        }
    }

    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|v| !v.is_null())
    }
}
