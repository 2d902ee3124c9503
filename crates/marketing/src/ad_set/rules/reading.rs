//! What was noticed while reading: unknown names, values of the wrong kind, words nobody knows, texts that are too long.

use super::super::countries::{asked_in, meant_by};
use super::super::document::{Campaign, Document};
use super::super::findings::{Findings, Rule, Segment, at};
use super::super::promoted_object::{self, PromotedObject, Value};
use super::super::read::{Inspect, List, Oddity, Text, Told};
use super::case::{Case, Word, either};
use crate::ad_set::legacy;
use crate::money;
use crate::vocabulary::{Kind, Standing, vocabulary};

/// Characters a name may have.
const NAME: usize = 400;
/// Characters a beneficiary or payer may have.
const DSA: usize = 512;

pub(super) fn check(document: &Document<'_>, case: &Case<'_>, out: &mut Findings) {
    oddities(document, out);
    words(case, out);
    lengths(case, out);
    currency(case, out);
}

/// Amounts in a currency nobody knows cannot be judged.
fn currency(case: &Case<'_>, out: &mut Findings) {
    let Some(code) = case.account.and_then(|account| account.currency.as_deref()) else { return };
    if money::currency(code).is_none() {
        out.add(
            Rule::UnknownValue,
            at!["ad_account", "currency"],
            format!("{code} is not a currency we know, so budgets are not compared with a minimum."),
            "Write the three letters of the ad account's currency, such as USD.",
        );
    }
}

/// The same for a campaign on its own.
pub(super) fn check_campaign(document: &Document<'_>, case: &Case<'_>, out: &mut Findings) {
    oddities(document, out);
    currency(case, out);
    if let Some(campaign) = case.campaign {
        campaign_words(case, campaign, out);
    }
}

fn oddities(document: &Document<'_>, out: &mut Findings) {
    for odd in &document.odd {
        tell(&[], odd, out);
    }
    if document.ad_set.is_odd() {
        document.ad_set.inspect(&mut at!["ad_set"], &mut |path, odd| tell(path, odd, out));
    }
    if let Some(campaign) = document.campaign.as_ref().filter(|campaign| campaign.is_odd()) {
        campaign.inspect(&mut at!["campaign"], &mut |path, odd| tell(path, odd, out));
    }
}

fn tell(path: &[Segment], odd: &Oddity<'_>, out: &mut Findings) {
    let mut path = path.to_vec();
    match odd {
        Oddity::Unknown(key) => {
            let (fix, is_misspelt) = did_you_mean(&path, key);
            path.push(key.clone().into_owned().into());
            let rule = if is_misspelt { Rule::MisspeltValue } else { Rule::UnknownParameter };
            out.add(rule, path, format!("{key} is not a documented field here."), fix);
        }
        Oddity::WrongType { key, expected, found } => {
            path.push(key.clone().into_owned().into());
            out.add(
                Rule::WrongType,
                path,
                format!("{key} must be {expected}, and is {found}."),
                // Meta's guide to lead ads shows the bare id of a Page.
                if key == "promoted_object" {
                    "Send an object that names what the id is of; for a Page {\"page_id\": ...}.".to_owned()
                } else {
                    format!("Send {expected}.")
                },
            );
        }
        Oddity::WrongItem { index, expected, found } => {
            path.push((*index).into());
            out.add(
                Rule::WrongType,
                path,
                format!("Each item must be {expected}, and this one is {found}."),
                format!("Send {expected}."),
            );
        }
    }
}

/// What may have been meant by an unknown key, and whether it is known to be written by mistake.
fn did_you_mean(path: &[Segment], key: &str) -> (String, bool) {
    let standing = match path.last() {
        Some(Segment::Key(last)) if last == "promoted_object" => {
            Standing::Unknown(promoted_object::meant_by(key))
        }
        Some(Segment::Key(last)) if last == "ad_set" => vocabulary(Kind::AdSetParameter).standing(key),
        Some(Segment::Key(last)) if last == "campaign" || last == "campaign_spec" => {
            vocabulary(Kind::CampaignParameter).standing(key)
        }
        _ => Standing::Unknown(None),
    };
    match standing {
        Standing::Misspelt(right) => (format!("Did you mean {right}?"), true),
        Standing::Unknown(Some(near)) => {
            (format!("Did you mean {near}? Meta ignores what it does not know."), false)
        }
        _ => ("Check the name; Meta ignores what it does not know.".to_owned(), false),
    }
}

fn words(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    let singles = [
        ("billing_event", &ad_set.billing_event, Kind::BillingEvent),
        ("bid_strategy", &ad_set.bid_strategy, Kind::BidStrategy),
        ("status", &ad_set.status, Kind::Status),
        ("tune_for_category", &ad_set.tune_for_category, Kind::SpecialAdCategory),
        ("multi_optimization_goal_weight", &ad_set.multi_optimization_goal_weight, Kind::MultiGoalWeight),
        ("optimization_sub_event", &ad_set.optimization_sub_event, Kind::OptimizationSubEvent),
    ];
    for (name, text, kind) in singles {
        word(text.as_ref(), kind, || at!["ad_set", name], out);
    }
    // These were looked up already.
    if let Some(destination) = &ad_set.destination_type
        && !case.destination.is_some_and(|word| word.is_value(Kind::DestinationType))
    {
        word(Some(destination), Kind::DestinationType, || at!["ad_set", "destination_type"], out);
    }
    // An old objective in the place of a goal is told about with what to use today.
    if let Some(goal) = &ad_set.optimization_goal
        && !case.goal.is_some_and(|word| word.is_value(Kind::OptimizationGoal))
        && (vocabulary(Kind::OptimizationGoal).position(goal).is_some() || legacy::objective(goal).is_none())
    {
        word(Some(goal), Kind::OptimizationGoal, || at!["ad_set", "optimization_goal"], out);
    }
    let lists = [
        ("pacing_type", &ad_set.pacing_type, Kind::PacingType),
        ("execution_options", &ad_set.execution_options, Kind::ExecutionOption),
        ("regional_regulated_categories", &ad_set.regional_regulated_categories, Kind::RegionalCategory),
    ];
    for (name, texts, kind) in lists {
        list(texts.as_ref(), kind, || at!["ad_set", name], out);
    }
    if let Some(targeting) = &ad_set.targeting {
        let lists = [
            ("publisher_platforms", &targeting.publisher_platforms, Kind::PublisherPlatform),
            ("facebook_positions", &targeting.facebook_positions, Kind::FacebookPosition),
            ("instagram_positions", &targeting.instagram_positions, Kind::InstagramPosition),
            ("messenger_positions", &targeting.messenger_positions, Kind::MessengerPosition),
            (
                "audience_network_positions",
                &targeting.audience_network_positions,
                Kind::AudienceNetworkPosition,
            ),
            ("threads_positions", &targeting.threads_positions, Kind::ThreadsPosition),
            ("whatsapp_positions", &targeting.whatsapp_positions, Kind::WhatsappPosition),
            ("device_platforms", &targeting.device_platforms, Kind::DevicePlatform),
        ];
        for (name, texts, kind) in lists {
            list(texts.as_ref(), kind, || at!["ad_set", "targeting", name], out);
        }
        for (name, geo) in [
            ("geo_locations", &targeting.geo_locations),
            ("excluded_geo_locations", &targeting.excluded_geo_locations),
        ] {
            let codes = geo.as_ref().and_then(|geo| geo.countries.as_ref());
            countries(codes, || at!["ad_set", "targeting", name, "countries"], out);
        }
    }
    for (at, item) in ad_set.attribution_spec.iter().flat_map(|list| list.items.iter().enumerate()) {
        word(
            item.event_type.as_ref(),
            Kind::AttributionEvent,
            || at!["ad_set", "attribution_spec", at, "event_type"],
            out,
        );
    }
    for (at, item) in ad_set.frequency_control_specs.iter().flat_map(|list| list.items.iter().enumerate()) {
        word(
            item.event.as_ref(),
            Kind::FrequencyEvent,
            || at!["ad_set", "frequency_control_specs", at, "event"],
            out,
        );
    }
    for (at, item) in ad_set.adset_schedule.iter().flat_map(|list| list.items.iter().enumerate()) {
        word(
            item.timezone_type.as_ref(),
            Kind::TimezoneType,
            || at!["ad_set", "adset_schedule", at, "timezone_type"],
            out,
        );
    }
    if let Some(object) = &ad_set.promoted_object {
        event_words(object, out);
    }
    if let Some(campaign) = case.campaign {
        campaign_words(case, campaign, out);
    }
}

/// Countries told about in one list, for a list may be all wrong.
const COUNTRIES_TOLD: usize = 10;

fn countries(codes: Option<&List<'_, Text<'_>>>, path: impl Fn() -> Vec<Segment>, out: &mut Findings) {
    let is_right =
        |code: &str| asked_in(code).is_known() && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let wrong = codes.into_iter().flat_map(|list| list.items.iter().enumerate());
    for (at, code) in wrong.filter(|(_, code)| !is_right(code)).take(COUNTRIES_TOLD) {
        let mut path = path();
        path.push(at.into());
        if asked_in(code).is_known() {
            let right = code.to_ascii_uppercase();
            let message = format!("{code} is not a country code; it is spelt {right}.");
            out.add(Rule::MisspeltValue, path, message, format!("Did you mean {right}?"));
        } else {
            let message = format!("{code} is no ISO 3166-1 country code we know.");
            let fix = match meant_by(code) {
                Some((code, name)) => format!("Did you mean {code} ({name})?"),
                None => "Write the two letters of a country, such as DE.".to_owned(),
            };
            out.add(Rule::UnknownCountry, path, message, fix);
        }
    }
}

fn event_words(object: &PromotedObject<'_>, out: &mut Findings) {
    let rows = promoted_object::fields();
    for (at, value) in &object.values {
        let field = &rows[*at];
        if let (Some(kind), Value::Text(text)) = (field.words, value) {
            word_text(text, kind, || at!["ad_set", "promoted_object", field.name.as_str()], out);
        }
    }
    for (place, index, item) in object.omnichannel.iter().flat_map(|both| both.items()) {
        word(
            item.custom_event_type.as_ref(),
            Kind::CustomEventType,
            || at!["ad_set", "promoted_object", "omnichannel_object", place, index, "custom_event_type"],
            out,
        );
    }
}

fn campaign_words(case: &Case<'_>, campaign: &Campaign<'_>, out: &mut Findings) {
    // A goal in the place of the objective is told about with what to use today.
    let is_a_goal = |word: Word<'_>| word.at.is_none() && legacy::name(word.text).is_some();
    if !case.objective.is_some_and(|word| word.is_value(Kind::Objective) || is_a_goal(word)) {
        word(campaign.objective.as_ref(), Kind::Objective, || case.campaign_path("objective"), out);
    }
    let singles = [
        ("status", campaign.status.as_deref(), Kind::Status),
        ("buying_type", campaign.buying_type(), Kind::BuyingType),
        ("bid_strategy", campaign.bid_strategy(), Kind::BidStrategy),
        ("special_ad_category", campaign.special_ad_category.as_deref(), Kind::SpecialAdCategory),
    ];
    for (name, text, kind) in singles {
        if let Some(text) = text {
            word_text(text, kind, || case.campaign_path(name), out);
        }
    }
    let codes = campaign.special_ad_category_country.as_ref();
    countries(codes, || case.campaign_path("special_ad_category_country"), out);
    let lists = [
        ("special_ad_categories", &campaign.special_ad_categories, Kind::SpecialAdCategory),
        ("pacing_type", &campaign.pacing_type, Kind::PacingType),
        ("execution_options", &campaign.execution_options, Kind::ExecutionOption),
    ];
    for (name, texts, kind) in lists {
        list(texts.as_ref(), kind, || case.campaign_path(name), out);
    }
}

fn list(texts: Option<&List<'_, Text<'_>>>, kind: Kind, path: impl Fn() -> Vec<Segment>, out: &mut Findings) {
    for (at, text) in texts.into_iter().flat_map(|list| list.items.iter().enumerate()) {
        let path = || {
            let mut path = path();
            path.push(at.into());
            path
        };
        word_text(text, kind, path, out);
    }
}

fn word(text: Option<&Text<'_>>, kind: Kind, path: impl Fn() -> Vec<Segment>, out: &mut Findings) {
    if let Some(text) = text {
        word_text(text, kind, path, out);
    }
}

fn word_text(text: &str, kind: Kind, path: impl Fn() -> Vec<Segment>, out: &mut Findings) {
    let words = vocabulary(kind);
    if words.position(text).is_some_and(|at| at < words.values.len()) {
        return;
    }
    match words.standing(text) {
        Standing::Known => {}
        Standing::Contested => {
            out.add(
                Rule::ContestedValue,
                path(),
                format!(
                    "{text} stands in one of Meta's tables, but not in the list of values the API takes."
                ),
                "It may be refused; try it with execution_options [\"validate_only\"] first.",
            );
        }
        Standing::Misspelt(right) => {
            out.add(
                Rule::MisspeltValue,
                path(),
                format!("{text} is not a value; it is spelt {right}."),
                format!("Did you mean {right}?"),
            );
        }
        Standing::Unknown(near) => {
            let fix = match near {
                Some(near) => format!("Did you mean {near}?"),
                None if words.values.len() <= 12 => format!("Known are {}.", either(&words.values)),
                None => "Check the spelling; a value this new is passed on.".to_owned(),
            };
            out.add(Rule::UnknownValue, path(), format!("{text} is not a value we know."), fix);
        }
    }
}

fn lengths(case: &Case<'_>, out: &mut Findings) {
    let ad_set = case.ad_set;
    let texts = [
        ("name", ad_set.name.as_ref(), NAME),
        ("dsa_beneficiary", ad_set.dsa_beneficiary.as_ref().and_then(Told::value), DSA),
        ("dsa_payor", ad_set.dsa_payor.as_ref().and_then(Told::value), DSA),
    ];
    for (name, text, limit) in texts {
        // A text has no more characters than bytes, so most need not be counted.
        let Some(text) = text.filter(|text| text.len() > limit) else { continue };
        let length = text.chars().count();
        if length > limit {
            out.add(
                Rule::TextTooLong,
                at!["ad_set", name],
                format!("{name} has {length} characters; {limit} are allowed."),
                "Shorten it.",
            );
        }
    }
}
