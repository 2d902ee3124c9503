//! The promoted object in itself: its values, and which fields need each other.

use std::sync::LazyLock;

use super::super::findings::{Findings, Rule, Severity, at};
use super::super::promoted_object::{FieldSet, PromotedObject, Type, Value, fields};
use super::case::Case;

/// Hosts of app stores.
const STORES: [&str; 8] = [
    "apps.apple.com",
    "itunes.apple.com",
    "play.google.com",
    "market.android.com",
    "www.amazon.com",
    "apps.facebook.com",
    "www.facebook.com",
    "apps.microsoft.com",
];

/// Events an offline event set takes.
const OFFLINE_EVENTS: [&str; 3] = ["PURCHASE", "LEAD", "COMPLETE_REGISTRATION"];

/// `reported`: fields that are reported as missing already.
pub(super) fn check(case: &Case<'_>, reported: FieldSet, out: &mut Findings) {
    let Some(object) = &case.ad_set.promoted_object else { return };
    for (at, value) in &object.values {
        value_of(*at, value, out);
    }
    let has = |name| object.has(name);
    if (has("object_store_url") || has("object_store_urls")) && !has("application_id") {
        let message = "A store URL needs the app it belongs to.";
        lacks(reported, Rule::StoreUrlNeedsApplication, "application_id", message, Severity::Reject, out);
    }
    if has("pixel_id") && !has("custom_event_type") && !has("custom_conversion_id") && pixel_needs_event(case)
    {
        let message = "A pixel needs the event to optimise for.";
        lacks(reported, Rule::PixelNeedsEvent, "custom_event_type", message, case.with_campaign(), out);
    }
    if has("boosted_product_set_id") && !has("product_set_id") {
        let message = "A boosted product set needs the set of all products next to it.";
        lacks(reported, Rule::BoostedSetNeedsProductSet, "product_set_id", message, Severity::Reject, out);
    }
    let event = object.text("custom_event_type");
    if has("custom_event_str") && event != Some("OTHER") {
        out.add(
            Rule::CustomEventStrNeedsOther,
            at!["ad_set", "promoted_object", "custom_event_str"],
            "custom_event_str names a custom event, which only goes with custom_event_type OTHER.",
            "Set custom_event_type to OTHER, or leave custom_event_str out.",
        );
    }
    if event == Some("OTHER")
        && !has("custom_event_str")
        && !has("pixel_rule")
        && !has("custom_conversion_id")
    {
        let message = "custom_event_type OTHER says nothing without the name of the event.";
        lacks(reported, Rule::OtherNeedsCustomEventStr, "custom_event_str", message, Severity::Warn, out);
    }
    if has("offline_conversion_data_set_id") && event.is_some_and(|event| !OFFLINE_EVENTS.contains(&event)) {
        out.add(
            Rule::OfflineSetEvent,
            at!["ad_set", "promoted_object", "custom_event_type"],
            format!("An offline event set does not take {}.", event.unwrap_or_default()),
            "Choose PURCHASE, LEAD or COMPLETE_REGISTRATION.",
        );
    }
    if has("product_catalog_id") && !has("product_set_id") {
        out.add(
            Rule::ProductCatalogOnCampaign,
            at!["ad_set", "promoted_object", "product_catalog_id"],
            "The catalog belongs on the campaign; the ad set promotes a product set.",
            "Move it to the campaign's promoted object, and add product_set_id here.",
        );
    }
    omnichannel(object, out);
    if has("pixel_rule") && case.goal_is(&["QUALITY_LEAD"]) {
        out.add(
            Rule::QualityLeadPixelRule,
            at!["ad_set", "promoted_object", "pixel_rule"],
            "The goal QUALITY_LEAD takes the pixel of the CRM as it is, without a rule.",
            "Leave pixel_rule out.",
        );
    }
    ambiguous(case, object, out);
}

/// Website and app together need the website's pixel.
fn omnichannel(object: &PromotedObject<'_>, out: &mut Findings) {
    let Some(both) = &object.omnichannel else { return };
    if both.pixel.as_ref().is_none_or(|pixel| pixel.items.is_empty()) {
        out.add(
            Rule::OmnichannelNeedsPixel,
            at!["ad_set", "promoted_object", "omnichannel_object", "pixel"],
            "omnichannel_object needs pixel: the pixels of the website, in a list.",
            "Add pixel [{\"pixel_id\": ..., \"custom_event_type\": ...}] to omnichannel_object.",
        );
    }
}

/// Adds that a field is missing, unless that is reported already.
fn lacks(
    reported: FieldSet,
    rule: Rule,
    field: &'static str,
    message: &str,
    at_most: Severity,
    out: &mut Findings,
) {
    if !reported.names().any(|name| name == field) {
        let path = at!["ad_set", "promoted_object", field];
        out.add(rule, path, message, format!("Add {field} to promoted_object.")).at_most(at_most);
    }
}

/// An old conversion pixel stands alone, and so does the pixel of conversion leads.
fn pixel_needs_event(case: &Case<'_>) -> bool {
    !(case.objective_is(&["CONVERSIONS"])
        || case.goal_is(&["CONVERSIONS", "QUALITY_LEAD", "LEAD_GENERATION"])
        || case
            .ad_set
            .promoted_object
            .as_ref()
            .is_some_and(|object| object.has("lead_ads_custom_event_type")))
}

/// Two things promoted at once. Meta takes one promoted object; these pairs are two for certain.
static TWO_THINGS: [Pair; 5] = [
    ("pixel_id", "application_id"),
    ("event_id", "pixel_id"),
    ("event_id", "application_id"),
    ("page_id", "application_id"),
    ("offline_conversion_data_set_id", "application_id"),
];
/// These may be two: which more pairs Meta refuses is not listed.
static PERHAPS_TWO: [Pair; 2] = [("pixel_id", "offline_conversion_data_set_id"), ("offer_id", "page_id")];

type Pair = (&'static str, &'static str);

/// The pairs as sets, with whether they are two things for certain: most promoted objects hold none of them.
static PAIRS: LazyLock<Vec<(FieldSet, &Pair, bool)>> = LazyLock::new(|| {
    let certain = TWO_THINGS.iter().map(|pair| (pair, true));
    let pairs = certain.chain(PERHAPS_TWO.iter().map(|pair| (pair, false)));
    pairs.map(|(pair, certain)| (FieldSet::of([pair.0, pair.1]), pair, certain)).collect()
});

fn ambiguous(case: &Case<'_>, object: &PromotedObject<'_>, out: &mut Findings) {
    for (_, (one, other), certain) in PAIRS.iter().filter(|(pair, ..)| object.present.contains(*pair)) {
        if object.has("omnichannel_object") {
            return;
        }
        let finding = out.add(
            Rule::PromotedObjectAmbiguous,
            at!["ad_set", "promoted_object"],
            format!("{one} and {other} promote two things at once."),
            "Send the fields of one promoted object; for website and app together there is omnichannel_object.",
        );
        // Products are sold at several places at once, and an app may be added to what is there.
        if !certain || case.is_update() || object.has("product_set_id") || object.has("variation") {
            finding.at_most(Severity::Warn);
        }
    }
}

fn value_of(at: usize, value: &Value<'_>, out: &mut Findings) {
    let field = &fields()[at];
    let name = field.name.as_str();
    let is_right = match (field.r#type, value) {
        (Type::Id, Value::Number(number)) => *number > 0,
        (Type::Id, Value::Text(text)) => text.bytes().all(|byte| byte.is_ascii_digit()),
        (Type::Url, Value::Text(text)) => {
            store(name, text, out);
            text.starts_with("https://") || text.starts_with("http://")
        }
        (Type::Bool, Value::Text(text)) => matches!(&**text, "true" | "false" | "0" | "1"),
        (Type::Text, Value::Text(_) | Value::Number(_) | Value::Bool(_))
        | (Type::Enum, Value::Text(_))
        | (Type::Bool, Value::Bool(_) | Value::Number(0 | 1))
        | (Type::List, Value::Other | Value::Text(_))
        | (Type::Any, _) => true,
        _ => false,
    };
    if !is_right {
        let (rule, expected) = match field.r#type {
            Type::Id => (Rule::PromotedObjectId, "an id: digits only"),
            Type::Url => (Rule::WrongType, "a URL"),
            Type::Bool => (Rule::WrongType, "true or false"),
            Type::List => (Rule::WrongType, "a list"),
            Type::Text | Type::Enum | Type::Any => (Rule::WrongType, "a text"),
        };
        out.add(
            rule,
            at!["ad_set", "promoted_object", name],
            format!("{name} must be {expected}."),
            format!("Send {expected}."),
        );
    }
    if !field.create {
        out.add(
            Rule::PromotedObjectField,
            at!["ad_set", "promoted_object", name],
            format!("{name} stands in some of Meta's lists, but not in that of the fields for creation."),
            "Try it with execution_options [\"validate_only\"] first.",
        );
    }
}

fn store(name: &'static str, url: &str, out: &mut Findings) {
    let host =
        url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or_default();
    if !STORES.contains(&host) {
        out.add(
            Rule::StoreUrlNotAStore,
            at!["ad_set", "promoted_object", name],
            format!("{host} is not an app store we know."),
            "Use the app's address at apps.apple.com or play.google.com.",
        );
    }
}
