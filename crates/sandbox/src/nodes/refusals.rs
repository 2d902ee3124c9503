//! Meta's own no: wrong campaigns, ad sets, creatives and ads, with code, subcode, text and the fields to blame.
//!
//! What can be known from the objects alone is asked of `adjoin_marketing`; what only the server can know (does the
//! pixel exist, is it the caller's) is decided here.

use adjoin_marketing::{
    Mark,
    ad_set::{self, Finding, InputError, Report, Rule, Severity},
    errors,
};
use serde_json::{Map, Value, json};

use super::{Request, ad_account, ad_creative, time};
use crate::{
    login::{self, permissions::AssetKind},
    protocol::GraphError,
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

/// A known refusal of business validation, blaming `path`.
pub fn known(subcode: i64, path: &[&str]) -> GraphError {
    let error = GraphError::new(100, "Invalid parameter").subcode(subcode).blame(path);
    match errors::subcode(100, subcode) {
        Some(row) => error.user(&row.title, &row.message),
        None => error,
    }
}

/// Refuses a campaign as it would be created.
pub fn campaign(
    world: &World,
    request: &Request<'_>,
    account: u64,
    status: Status,
    fields: &Map<String, Value>,
) -> Result<(), GraphError> {
    let document = campaign_document(world, request, account, status, fields);
    decide(&document, ad_set::check_campaign_value(&document, world.clock.now()))
}

fn campaign_document(
    world: &World,
    request: &Request<'_>,
    account: u64,
    status: Status,
    fields: &Map<String, Value>,
) -> Value {
    let mut campaign = fields.clone();
    campaign.insert("status".into(), status.name().into());
    campaign.entry("name").or_insert_with(|| "named".into());
    json!({
        "campaign": campaign,
        "ad_account": account_facts(world, account),
        "api_version": request.version,
    })
}

/// Refuses an ad set as it would be created.
pub fn new_ad_set(
    world: &World,
    request: &Request<'_>,
    campaign: &Object,
    status: Status,
    fields: &Map<String, Value>,
) -> Result<(), GraphError> {
    let mut ad_set = fields.clone();
    ad_set.insert("status".into(), status.name().into());
    let document = json!({
        "ad_set": ad_set,
        "campaign": as_document(world, campaign),
        "ad_account": account_facts(world, campaign.account),
        "api_version": request.version,
    });
    decide(&document, ad_set::check_value(&document, world.clock.now()))?;
    promoted_assets(world, request, campaign.account, fields.get("promoted_object"))
}

/// Refuses a change of an ad set.
pub fn changed_ad_set(
    world: &World,
    request: &Request<'_>,
    existing: &Object,
    changes: &Map<String, Value>,
) -> Result<(), GraphError> {
    let document = json!({
        "ad_set": changes,
        "existing": as_document(world, existing),
        "campaign": world.objects.get(existing.parent).map(|campaign| as_document(world, campaign)),
        "ad_account": account_facts(world, existing.account),
        "api_version": request.version,
    });
    decide(&document, ad_set::check_value(&document, world.clock.now()))?;
    promoted_assets(world, request, existing.account, changes.get("promoted_object"))
}

/// Refuses a change of a campaign: what its creation would be refused for, and a budget beside those of its ad sets.
pub fn changed_campaign(
    world: &World,
    request: &Request<'_>,
    campaign: &Object,
    changes: &Map<String, Value>,
) -> Result<(), GraphError> {
    let as_it_stands = (*campaign.fields).clone();
    let mut as_it_will = as_it_stands.clone();
    as_it_will.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
    // What was wrong with it before is not the fault of this change.
    let faults = |fields: Map<String, Value>| {
        let document = campaign_document(world, request, campaign.account, campaign.status, &fields);
        let report = ad_set::check_campaign_value(&document, world.clock.now());
        report.map(|report| {
            report.findings.into_iter().filter(|finding| refuses(&document, finding)).collect::<Vec<_>>()
        })
    };
    let before = faults(as_it_stands).map_err(|error| unreadable(&error))?;
    let after = faults(as_it_will).map_err(|error| unreadable(&error))?;
    // The budget's level has its own refusal, below.
    let is_new = |finding: &&Finding| {
        finding.rule != Rule::BudgetDailyAndLifetime
            && !before.iter().any(|old| old.rule == finding.rule && old.message == finding.message)
    };
    if let Some(finding) = after.iter().find(is_new) {
        return Err(refusal(finding));
    }
    let Some(budget) =
        ["daily_budget", "lifetime_budget"].into_iter().find(|name| changes.contains_key(*name))
    else {
        return Ok(());
    };
    let other = if budget == "daily_budget" { "lifetime_budget" } else { "daily_budget" };
    if campaign.field(other).is_some() || changes.contains_key(other) {
        return Err(known(1_885_621, &[budget]));
    }
    let ad_sets = &world.objects.children(campaign.id, ObjectKind::AdSet).ids;
    let own = ad_sets.iter().filter_map(|id| world.objects.get(*id)).any(|ad_set| {
        !ad_set.status.is_hidden()
            && (ad_set.field("daily_budget").is_some() || ad_set.field("lifetime_budget").is_some())
    });
    if own { Err(known(1_885_621, &[budget])) } else { Ok(()) }
}

/// An object with its own fields, as a document names them.
fn as_document(world: &World, object: &Object) -> Value {
    let mut map = (*object.fields).clone();
    map.insert("id".into(), object.id.to_string().into());
    map.insert("name".into(), object.name.clone().into());
    map.insert("status".into(), object.status.name().into());
    map.insert("effective_status".into(), world.objects.effective_status(object).into());
    if object.kind == ObjectKind::AdSet {
        map.insert("campaign_id".into(), object.parent.to_string().into());
        map.insert("created_time".into(), time(object.created).into());
    }
    // What is not there is not just unread.
    let unset: &[&str] = match object.kind {
        ObjectKind::Campaign => &["daily_budget", "lifetime_budget", "bid_strategy", "buying_type"],
        ObjectKind::AdSet => &["dsa_beneficiary", "dsa_payor"],
        _ => &[],
    };
    for name in unset {
        map.entry(*name).or_insert(Value::Null);
    }
    Value::Object(map)
}

fn account_facts(world: &World, account: u64) -> Value {
    let Some(account) = world.assets.ad_accounts.get(&account.to_string()) else { return json!({}) };
    let mut facts = Map::new();
    facts.insert("currency".into(), account.currency.clone().into());
    facts.insert("min_daily_budget".into(), ad_account::min_daily_budget(&account.currency));
    for (name, value) in [
        ("default_dsa_beneficiary", &account.default_dsa_beneficiary),
        ("default_dsa_payor", &account.default_dsa_payor),
    ] {
        facts.insert(name.into(), value.clone().into());
    }
    Value::Object(facts)
}

/// The refusal of the first finding that Meta would not let pass.
fn decide(document: &Value, checked: Result<Report, InputError>) -> Result<(), GraphError> {
    let report = checked.map_err(|error| unreadable(&error))?;
    match report.findings.iter().find(|finding| refuses(document, finding)) {
        Some(finding) => Err(refusal(finding)),
        None => Ok(()),
    }
}

fn unreadable(error: &InputError) -> GraphError {
    GraphError::new(100, format!("(#100) {}", error.problem))
}

/// Documented faults, and those that others saw refused with a number.
fn refuses(document: &Value, finding: &Finding) -> bool {
    match finding.rule {
        // Only noticed at the ad.
        Rule::PromotedObjectPage => false,
        // The minimum is the sandbox's own, so here it is certain.
        Rule::BudgetBelowMinimum => true,
        // Windows of other lengths than these are on no list, whatever the objective.
        Rule::AttributionWindow => {
            let spec = document["ad_set"]["attribution_spec"].as_array();
            spec.into_iter().flatten().any(|item| !matches!(whole(&item["window_days"]), Some(1 | 7)))
        }
        Rule::AdvantageAudienceUnstated => is_narrow(&document["ad_set"]["targeting"]),
        // Ad sets are not told apart by having been published, so one that is paused counts as not published.
        Rule::FixedPromotedObjectPublished | Rule::FixedGoalPublished => {
            document["existing"]["status"] != Status::Paused.name()
        }
        rule => {
            finding.severity == Severity::Reject
                || (finding.severity == Severity::Warn
                    && rule.row().mark == Mark::Seen
                    && finding.meta.is_some())
        }
    }
}

/// A whole number, which may be written as a text.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether a targeting chooses by more than place, so that Advantage+ audience would have something to widen.
fn is_narrow(targeting: &Value) -> bool {
    let age = |name: &str| whole(&targeting[name]);
    let chooses = |name: &str| match &targeting[name] {
        Value::Array(items) => !items.is_empty() && items[0] != 0,
        _ => false,
    };
    age("age_min").is_some_and(|age| age > 18)
        || age("age_max").is_some_and(|age| age < 65)
        || ["genders", "flexible_spec", "interests", "behaviors"].into_iter().any(chooses)
}

/// The place Meta blames where that is known, else the place of the fault; without the name of the object.
fn refusal(finding: &Finding) -> GraphError {
    let row = finding.meta.and_then(|meta| errors::subcode(meta.code, meta.subcode));
    let path: Vec<String> = match row.filter(|row| !row.field.is_empty()) {
        Some(row) => row.field.split('.').map(str::to_owned).collect(),
        None => finding.path.iter().map(ToString::to_string).collect(),
    };
    let path: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
    let code = finding.meta.map_or(100, |meta| meta.code);
    let error = GraphError::new(code, "Invalid parameter").blame(&path);
    let error = match finding.meta {
        Some(meta) if meta.subcode != 0 => error.subcode(meta.subcode),
        _ => error,
    };
    match row {
        Some(row) => error.user(&row.title, &row.message),
        None if is_fixed(finding.rule) => error.user("Invalid parameter", fixed(&path)),
        None => error.user("Invalid parameter", neutral(&path)),
    }
}

/// Whether the value itself is right, and only comes too late.
fn is_fixed(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::FixedPromotedObject
            | Rule::FixedPromotedObjectPublished
            | Rule::FixedPromotedObjectAbsent
            | Rule::FixedGoalPublished
            | Rule::FixedAttribution
            | Rule::FixedFrequency
            | Rule::FixedDynamicCreative
            | Rule::FixedCampaign
            | Rule::FixedDestination
    )
}

fn fixed(path: &[&str]) -> String {
    format!("The parameter {} cannot be changed after creation.", path.last().unwrap_or(&"given"))
}

/// What is said of a fault whose number is not known.
fn neutral(path: &[&str]) -> String {
    match path.last() {
        Some(field) => format!("The parameter {field} is missing or its value cannot be used here."),
        None => "A parameter is missing or its value cannot be used here.".to_owned(),
    }
}

/// The assets a promoted object names must be there, and the caller's.
fn promoted_assets(
    world: &World,
    request: &Request<'_>,
    account: u64,
    promoted: Option<&Value>,
) -> Result<(), GraphError> {
    let id = |name: &str| {
        let value = promoted?.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    if let Some(page) = id("page_id") {
        page_to_advertise(world, request, &page, &["promoted_object", "page_id"])?;
    }
    let account_id = account.to_string();
    if let Some(pixel) = id("pixel_id") {
        let business = world.assets.ad_accounts.get(&account_id).and_then(|a| a.business_id.as_ref());
        let usable = world.assets.pixels.get(&pixel).is_some_and(|pixel| {
            pixel.ad_accounts.contains(&account_id)
                || (business.is_some() && pixel.business_id.as_ref() == business)
        });
        if !usable {
            return Err(absent("pixel_id", "The pixel", &pixel));
        }
    }
    for name in ["product_set_id", "boosted_product_set_id"] {
        if let Some(set) = id(name)
            && world.assets.catalog_of_set(&set).is_none()
        {
            return Err(known(1_487_831, &["promoted_object", name]));
        }
    }
    if let Some(catalog) = id("product_catalog_id")
        && !world.assets.catalogs.contains_key(&catalog)
    {
        return Err(absent("product_catalog_id", "The catalog", &catalog));
    }
    if let Some(app) = id("application_id") {
        let Some(application) = world.assets.applications.get(&app) else {
            return Err(absent("application_id", "The app", &app));
        };
        if let Some(url) = id("object_store_url")
            && !application.store_urls.values().any(|known| same_store_url(known, &url))
        {
            return Err(GraphError::new(100, "Invalid parameter")
                .blame(&["promoted_object", "object_store_url"])
                .user(
                    "Store URL of another app",
                    format!("The store URL is none of those of the app {app}."),
                ));
        }
    }
    Ok(())
}

/// The scheme and a slash at the end make no difference.
fn same_store_url(known: &str, given: &str) -> bool {
    let bare = |url: &str| {
        url.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned()
    };
    bare(known) == bare(given)
}

fn absent(field: &str, what: &str, id: &str) -> GraphError {
    GraphError::new(100, "Invalid parameter").blame(&["promoted_object", field]).user(
        format!("{what} cannot be used"),
        format!("{what} {id} does not exist, or is not shared with this ad account."),
    )
}

/// A Page that exists and on which the caller may advertise.
fn page_to_advertise(
    world: &World,
    request: &Request<'_>,
    page_id: &str,
    blame: &[&str],
) -> Result<(), GraphError> {
    let permissions = ["pages_manage_ads", "pages_read_engagement", "pages_show_list", "ads_management"];
    let may = world.assets.pages.get(page_id).is_some_and(|page| {
        request
            .caller
            .kind
            .subject()
            .and_then(|subject| page.users.get(subject))
            .is_some_and(|tasks| tasks.iter().any(|task| task == "ADVERTISE" || task == "MANAGE"))
    }) && login::require(world, request.caller, &permissions, AssetKind::Page, page_id).is_ok();
    if may { Ok(()) } else { Err(known(1_487_202, blame)) }
}

/// What a story can tell.
const CONTENTS: [&str; 5] = ["link_data", "video_data", "photo_data", "template_data", "text_data"];

/// Refuses a creative that tells nothing or two things, or whose Page or lead form is not the caller's.
pub fn creative(world: &World, request: &Request<'_>, creative: &Object) -> Result<(), GraphError> {
    let Some(story) = creative.field("object_story_spec") else { return Ok(()) };
    let Some(page_id) = story
        .get("page_id")
        .and_then(|id| id.as_str().map(str::to_owned).or_else(|| Some(id.as_u64()?.to_string())))
    else {
        return Err(GraphError::new(100, "Invalid parameter")
            .blame(&["object_story_spec", "page_id"])
            .user("Page missing", "The object_story_spec needs the page_id of the Page that speaks."));
    };
    if story.get("instagram_actor_id").is_some() {
        return Err(GraphError::new(100, "Invalid parameter")
            .blame(&["object_story_spec", "instagram_actor_id"])
            .user(
                "instagram_actor_id is gone",
                "Name the Instagram account in instagram_user_id; instagram_actor_id is no longer taken.",
            ));
    }
    page_to_advertise(world, request, &page_id, &["object_story_spec", "page_id"])?;
    let contents =
        CONTENTS.iter().filter(|name| story.get(**name).is_some_and(|data| !data.is_null())).count();
    // With an asset feed, for example, the story only says who speaks.
    let told_elsewhere = || {
        let mut sources = ad_creative::SOURCES.iter().filter(|name| **name != "object_story_spec");
        sources.any(|name| creative.field(name).is_some())
    };
    if contents > 1 || (contents == 0 && !told_elsewhere()) {
        return Err(GraphError::new(100, "Invalid parameter").blame(&["object_story_spec"]).user(
            "The story needs one content",
            format!("The object_story_spec needs exactly one of {}.", CONTENTS.join(", ")),
        ));
    }
    if let Some((path, form)) = lead_form(story) {
        let of_page = world.leads.form(form).is_some_and(|form| form.page_id == page_id);
        if !of_page {
            return Err(known(3_390_001, &path));
        }
    }
    Ok(())
}

/// The lead form a story points to, and where it stands.
pub fn lead_form(story: &Value) -> Option<(Vec<&'static str>, &str)> {
    ["link_data", "video_data", "template_data"].into_iter().find_map(|data| {
        let form = story.get(data)?.get("call_to_action")?.get("value")?.get("lead_gen_form_id")?.as_str()?;
        Some((vec!["object_story_spec", data, "call_to_action", "value", "lead_gen_form_id"], form))
    })
}

/// Refuses an ad that does not go with its ad set.
pub fn ad(
    world: &World,
    request: &Request<'_>,
    campaign: Option<&Object>,
    ad_set: &Object,
    creative: &Object,
) -> Result<(), GraphError> {
    let Some(campaign) = campaign else { return Ok(()) };
    let document = json!({
        "ad_set": as_document(world, ad_set),
        "campaign": as_document(world, campaign),
        "ad_account": account_facts(world, ad_set.account),
        "api_version": request.version,
    });
    let report = ad_set::check_value(&document, world.clock.now()).map_err(|error| unreadable(&error))?;
    if report.findings.iter().any(|finding| finding.rule == Rule::PromotedObjectPage) {
        return Err(known(1_885_154, &["adset_id"]));
    }
    let promoted = |name: &str| ad_set.field("promoted_object")?.get(name)?.as_str();
    if let (Some(promoted), Some(speaking)) = (promoted("page_id"), ad_creative::page_id(creative))
        && promoted != speaking
    {
        return Err(known(1_885_029, &["creative"]));
    }
    if promoted("application_id")
        .and_then(|id| world.assets.applications.get(id))
        .is_some_and(|application| application.in_development)
    {
        return Err(known(1_885_183, &["adset_id"]));
    }
    let story = creative.field("object_story_spec");
    match ad_set.text("destination_type") {
        Some("ON_AD") if story.is_some_and(|story| lead_form(story).is_none()) => {
            Err(known(3_390_001, &["creative"]))
        }
        Some("WEBSITE") if story.is_some_and(|story| !has_link(story)) => {
            Err(known(2_446_383, &["creative"]))
        }
        _ => Ok(()),
    }
}

fn has_link(story: &Value) -> bool {
    ["/link_data/link", "/template_data/link", "/video_data/call_to_action/value/link", "/photo_data/url"]
        .iter()
        .any(|path| story.pointer(path).and_then(Value::as_str).is_some_and(|link| !link.is_empty()))
}
