//! What stands in the form, as the document the rules read. A field's name is its path in that document.

use std::collections::BTreeMap;

use adjoin_marketing::ad_set::promoted_object::{self, Type};
use serde_json::{Map, Value};

use crate::service::Fault;

/// How the text of a field becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Text,
    /// A whole number; what is none stays a text, so that the rules can blame it.
    Number,
    /// Words with commas between them.
    List,
    /// What a date and time field sends, taken as UTC.
    Moment,
}

/// The form's fields, but for those of the promoted object.
const FIELDS: &[(&str, Read)] = &[
    ("ad_set.name", Read::Text),
    ("ad_set.campaign_id", Read::Text),
    ("ad_set.destination_type", Read::Text),
    ("ad_set.optimization_goal", Read::Text),
    ("ad_set.billing_event", Read::Text),
    ("ad_set.bid_strategy", Read::Text),
    ("ad_set.bid_amount", Read::Number),
    ("ad_set.daily_budget", Read::Number),
    ("ad_set.lifetime_budget", Read::Number),
    ("ad_set.start_time", Read::Moment),
    ("ad_set.end_time", Read::Moment),
    ("ad_set.targeting.geo_locations.countries", Read::List),
    ("ad_set.targeting.age_min", Read::Number),
    ("ad_set.targeting.age_max", Read::Number),
    ("ad_set.targeting.targeting_automation.advantage_audience", Read::Number),
    ("ad_set.dsa_beneficiary", Read::Text),
    ("ad_set.dsa_payor", Read::Text),
    ("campaign.objective", Read::Text),
];

/// Further fields of the ad set, as JSON.
pub const MORE: &str = "more";
/// What Meta said of the campaign when the form was opened, as JSON.
pub const CAMPAIGN: &str = "campaign";
/// What Meta said of the ad account when the form was opened, as JSON.
pub const ACCOUNT: &str = "ad_account";
/// The ad account's pixels, as JSON: Meta is asked for them once, not for every check.
pub const PIXELS: &str = "pixels";
pub const AD_ACCOUNT: &str = "ad_account_id";
pub const PROMOTED_OBJECT: &str = "ad_set.promoted_object";

/// The form as it stands: what was typed, by field.
#[derive(Debug, Clone, Default)]
pub struct Draft(BTreeMap<String, String>);

impl Draft {
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, value.trim().to_owned())).collect())
    }

    /// What stands in a field; nothing is an empty text.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Fields of the promoted object that hold something.
    pub fn promoted_fields(&self) -> impl Iterator<Item = &'static promoted_object::Field> {
        promoted_object::fields().iter().filter(|field| !self.get(&promoted_name(&field.name)).is_empty())
    }

    /// The ad set as it is sent to Meta, and what keeps the further fields from being read.
    pub fn ad_set(&self) -> (Map<String, Value>, Option<Fault>) {
        let mut root = Value::Object(Map::new());
        for (path, read) in FIELDS.iter().filter(|(path, _)| path.starts_with("ad_set.")) {
            if let Some(value) = value(self.get(path), *read) {
                put(&mut root, &path["ad_set.".len()..], value);
            }
        }
        for field in self.promoted_fields() {
            let name = promoted_name(&field.name);
            put(&mut root, &name["ad_set.".len()..], promoted_value(self.get(&name), field.r#type));
        }
        put(&mut root, "status", "PAUSED".into());
        let mut fault = None;
        if !self.get(MORE).is_empty() {
            match serde_json::from_str::<Map<String, Value>>(self.get(MORE)) {
                Ok(more) => merge(&mut root, Value::Object(more)),
                Err(error) => {
                    fault = Some(Fault::new(
                        MORE,
                        format!("this is not a JSON object: {error}"),
                        "{\"attribution_spec\": [...]}",
                    ));
                }
            }
        }
        let Value::Object(ad_set) = root else { unreachable!("it began as an object") };
        (ad_set, fault)
    }

    /// The campaign as far as it is known: what Meta said, else the objective that was chosen.
    fn campaign(&self) -> Value {
        let told = serde_json::from_str::<Value>(self.get(CAMPAIGN)).ok().filter(Value::is_object);
        let is_told = told.is_some();
        let mut campaign = told.unwrap_or_else(|| Value::Object(Map::new()));
        // Meta was asked for these, and leaves out what is not set.
        for field in ["daily_budget", "lifetime_budget", "bid_strategy", "buying_type"] {
            if is_told && campaign.get(field).is_none() {
                put(&mut campaign, field, Value::Null);
            }
        }
        // With an id it is a campaign that exists, and is not checked as a new one.
        put(&mut campaign, "id", self.get("ad_set.campaign_id").into());
        if let Some(objective) = value(self.get("campaign.objective"), Read::Text) {
            put(&mut campaign, "objective", objective);
        }
        campaign
    }

    /// The document that the rules check. The currency is what is known of an ad account of which Meta told nothing.
    pub fn document(&self, currency: Option<&str>) -> (Value, Option<Fault>) {
        let (ad_set, fault) = self.ad_set();
        let mut document = serde_json::json!({ "ad_set": ad_set, "campaign": self.campaign() });
        if let Ok(told @ Value::Object(_)) = serde_json::from_str(self.get(ACCOUNT)) {
            document["ad_account"] = told;
        } else if let Some(currency) = currency {
            document["ad_account"] = serde_json::json!({ "currency": currency });
        }
        (document, fault)
    }

    /// The field of the form that a path of the document belongs to: the longest that is the path or leads to it,
    /// else the first that lies below it (`ad_set.targeting` is missing: its countries).
    pub fn field_of<'f>(path: &str, shown: &[&'f str]) -> Option<&'f str> {
        let lies_below = |below: &str, above: &str| {
            below.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let above = shown.iter().filter(|name| lies_below(path, name)).max_by_key(|name| name.len());
        above.or_else(|| shown.iter().find(|name| lies_below(name, path))).copied()
    }
}

pub fn promoted_name(field: &str) -> String {
    format!("{PROMOTED_OBJECT}.{field}")
}

fn value(text: &str, read: Read) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    Some(match read {
        Read::Text => text.into(),
        Read::Number => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Read::List => text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .map(str::to_uppercase)
            .collect::<Vec<_>>()
            .into(),
        // `2026-12-01T08:00`, with the seconds some browsers add.
        Read::Moment => match text.matches(':').count() {
            1 => format!("{text}:00+0000").into(),
            _ => format!("{text}+0000").into(),
        },
    })
}

fn promoted_value(text: &str, kind: Type) -> Value {
    match kind {
        Type::Id | Type::Url | Type::Text | Type::Enum => text.into(),
        Type::Bool => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        Type::List | Type::Any => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

/// Puts a value at a path with dots, making the objects on the way.
fn put(root: &mut Value, path: &str, value: Value) {
    let mut at = root;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[key];
    }
    *at = value;
}

/// Lays one object over another, key by key.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(pairs: &[(&str, &str)]) -> Draft {
        Draft::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn fields_become_the_document_the_rules_read() {
        let draft = draft(&[
            ("ad_set.name", "Autumn"),
            ("ad_set.campaign_id", "12"),
            ("ad_set.daily_budget", "2000"),
            ("ad_set.lifetime_budget", "lots"),
            ("ad_set.start_time", "2026-12-01T08:00"),
            ("ad_set.targeting.geo_locations.countries", "de, AT  ch"),
            ("ad_set.promoted_object.page_id", "7"),
            ("campaign.objective", "OUTCOME_LEADS"),
            ("campaign", r#"{"daily_budget": "500", "objective": "X"}"#),
            (MORE, r#"{"targeting": {"age_min": 30}, "status": "ACTIVE"}"#),
        ]);
        let (document, fault) = draft.document(Some("EUR"));
        assert_eq!(fault, None);
        assert_eq!(
            document,
            json!({
                "ad_set": {
                    "name": "Autumn", "campaign_id": "12", "daily_budget": 2000, "lifetime_budget": "lots",
                    "start_time": "2026-12-01T08:00:00+0000",
                    "targeting": {"geo_locations": {"countries": ["DE", "AT", "CH"]}, "age_min": 30},
                    "promoted_object": {"page_id": "7"}, "status": "ACTIVE",
                },
                "campaign": {"daily_budget": "500", "objective": "OUTCOME_LEADS", "id": "12",
                    "lifetime_budget": null, "bid_strategy": null, "buying_type": null},
                "ad_account": {"currency": "EUR"},
            })
        );
    }

    #[test]
    fn what_meta_told_of_the_ad_account_is_what_the_rules_know() {
        let facts = json!({"currency": "EUR", "min_daily_budget": 95, "default_dsa_payor": null});
        let (document, _) = draft(&[(ACCOUNT, &facts.to_string())]).document(Some("USD"));
        assert_eq!((&document["ad_account"], &document["campaign"]), (&facts, &json!({"id": ""})));
        assert_eq!(draft(&[(ACCOUNT, "")]).document(None).0.get("ad_account"), None);
    }

    #[test]
    fn an_ad_set_is_paused_unless_somebody_says_otherwise() {
        assert_eq!(draft(&[]).ad_set().0["status"], "PAUSED");
    }

    #[test]
    fn further_fields_that_are_no_object_are_named() {
        let (ad_set, fault) = draft(&[("ad_set.name", "A"), (MORE, "[1")]).ad_set();
        assert_eq!(ad_set["name"], "A");
        assert_eq!(fault.unwrap().field, MORE);
    }

    #[test]
    fn a_path_belongs_to_the_nearest_field_that_is_shown() {
        let shown = ["ad_set.targeting.geo_locations.countries", "ad_set.promoted_object", "ad_set.name"];
        assert_eq!(Draft::field_of("ad_set.targeting.geo_locations.countries.0", &shown), Some(shown[0]));
        assert_eq!(Draft::field_of("ad_set.promoted_object.page_id", &shown), Some(shown[1]));
        assert_eq!(Draft::field_of("ad_set.targeting", &shown), Some(shown[0]));
        assert_eq!(Draft::field_of("ad_set.names", &shown), None);
    }
}
