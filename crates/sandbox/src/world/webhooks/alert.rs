use serde_json::{Value, json};

/// A rule of an ad account whose coming true is told to the app that made it: `/act_1/subscriptions`.
/// Source: ads-webhooks/subscriptions.
#[derive(Debug, Clone)]
pub struct Alert {
    pub id: u64,
    /// The ad account without `act_`.
    pub account: u64,
    pub app: String,
    pub event_type: String,
    pub field: Option<String>,
    pub value: Option<String>,
    pub operator: Option<String>,
    pub filters: Value,
    pub enabled: bool,
}

impl Alert {
    pub fn to_json(&self) -> Value {
        let mut told = json!({ "subscription_id": self.id.to_string(), "event_type": self.event_type });
        for (name, value) in [("field", &self.field), ("value", &self.value), ("operator", &self.operator)] {
            if let Some(value) = value {
                told[name] = value.as_str().into();
            }
        }
        told["filters"] = self.filters.clone();
        told["status"] = if self.enabled { "ENABLED" } else { "DISABLED" }.into();
        told
    }
}
