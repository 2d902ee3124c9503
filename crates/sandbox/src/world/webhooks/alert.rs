use serde_json::Value;

/// A rule of an ad account that is told of as it comes true: `/act_1/subscriptions`.
/// Source: ads-webhooks/subscriptions.
#[derive(Debug, Clone)]
pub struct Alert {
    pub id: u64,
    /// The ad account without `act_`.
    pub account: u64,
    /// The app that made it; only it is told.
    pub app: String,
    pub name: String,
    pub event_type: String,
    pub filters: Value,
    pub active: bool,
    /// Unix seconds.
    pub created: i64,
    pub updated: i64,
}
