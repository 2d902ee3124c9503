use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

/// What an app wants to hear of one kind of object, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSubscription {
    pub callback_url: String,
    pub fields: Vec<String>,
    /// Without it a notification names the fields that changed and nothing else.
    pub include_values: bool,
    /// The version of the call that made it.
    pub version: String,
}

/// A subscription whose callback must echo a challenge before it counts.
#[derive(Debug, Clone)]
pub struct Challenge {
    pub app_id: String,
    pub object: String,
    pub verify_token: String,
    /// What the callback has to answer with.
    pub text: String,
    pub subscription: AppSubscription,
}

#[derive(Deserialize)]
struct Row {
    fields: String,
}

static TABLE: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let rows: BTreeMap<String, Row> = toml::from_str(include_str!("../../../data/webhooks.toml"))
        .expect("data/webhooks.toml is well-formed");
    rows.into_iter()
        .map(|(object, row)| (object, row.fields.split_whitespace().map(str::to_owned).collect()))
        .collect()
});

/// The fields of an object that can be subscribed to; `None` when there is no such object.
pub fn fields_of(object: &str) -> Option<&'static BTreeSet<String>> {
    TABLE.get(object)
}

/// The objects that can be subscribed to.
pub fn objects() -> impl Iterator<Item = &'static str> {
    TABLE.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_what_matters() {
        assert!(fields_of("page").unwrap().contains("leadgen_update"));
        assert!(fields_of("ad_account").unwrap().contains("effective_status"));
        assert!(fields_of("nonsense").is_none());
        assert!(objects().count() >= 2);
    }
}
