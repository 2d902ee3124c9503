use serde_json::Value;

/// Something that happened, before it is known who wants to hear of it.
#[derive(Debug, Clone)]
pub struct Event {
    pub object: &'static str,
    /// The Page, or the ad account without `act_`.
    pub id: String,
    /// What is subscribed to.
    pub field: &'static str,
    /// What it is called when it arrives; `effective_status` comes as `field_changed`.
    pub arrives_as: &'static str,
    pub value: Value,
    /// Only to this app; `None` = to all that are subscribed.
    pub app: Option<String>,
}

impl Event {
    pub fn of_page(page_id: &str, field: &'static str, value: Value) -> Self {
        Self { object: "page", id: page_id.to_owned(), field, arrives_as: field, value, app: None }
    }

    pub fn of_account(account: u64, field: &'static str, value: Value) -> Self {
        let arrives_as = if field == "effective_status" { "field_changed" } else { field };
        Self { object: "ad_account", id: account.to_string(), field, arrives_as, value, app: None }
    }
}
