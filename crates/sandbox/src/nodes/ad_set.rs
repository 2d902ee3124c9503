//! Ad sets. Source: marketing-api/reference/ad-campaign.

use adjoin_marketing::versions;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Cell, Kind, List, Node, Request, Route, Scope, ad, campaign, copies, create, delete, edge, insights,
    node, refusals, update, write,
};
use crate::{
    protocol::{GraphError, Params},
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

/// Ad sets one campaign can hold.
const PER_CAMPAIGN: usize = 200;
/// Ad sets, the deleted ones aside, that one account can hold.
const PER_ACCOUNT: usize = 5_000;

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "adsets", |_, node, _| Ok(List::objects(node.number(), ObjectKind::AdSet))),
    create(Kind::AdAccount, "adsets", create_ad_set),
    edge(Kind::Campaign, "adsets", |_, node, _| Ok(List::objects(node.number(), ObjectKind::AdSet))),
    node(Kind::AdSet),
    update(Kind::AdSet, update_ad_set),
    delete(Kind::AdSet, None, write::delete),
    create(Kind::AdSet, "copies", copies::ad_set),
    edge(Kind::AdSet, "insights", insights::list),
    edge(Kind::AdSet, "adcreatives", |scope, node, _| {
        let objects = &scope.world.objects;
        let ads = objects.children(node.number(), ObjectKind::Ad).ids.iter().rev();
        let mut creatives: Vec<&str> = ads
            .filter_map(|id| objects.get(*id))
            .filter(|ad| !ad.status.is_hidden())
            .filter_map(ad::creative_id)
            .collect();
        let mut seen = std::collections::HashSet::new();
        creatives.retain(|id| seen.insert(*id));
        Ok(List::nodes(creatives.into_iter().map(|id| Node::new(Kind::AdCreative, id)).collect()))
    }),
];

fn create_ad_set(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let validate_only = write::validate_only(request.params())?;
    let prepared = prepare(world, request, account.number(), request.params())?;
    if validate_only {
        return Ok(json!({ "success": true }));
    }
    let id = prepared.settle(world);
    write::created(world, request, ObjectKind::AdSet, id)
}

/// An ad set that passed its checks, with the campaign its `campaign_spec` brings along.
pub struct Prepared {
    pub ad_set: Object,
    pub campaign: Object,
    is_new_campaign: bool,
}

impl Prepared {
    pub fn settle(mut self, world: &mut World) -> u64 {
        if self.is_new_campaign {
            self.ad_set.parent = world.objects.insert(self.campaign);
        }
        world.objects.insert(self.ad_set)
    }
}

/// Checks an ad set that is to be created, from the call's parameters or an ad's `adset_spec`.
pub fn prepare(
    world: &World,
    request: &Request<'_>,
    account: u64,
    params: &Params,
) -> Result<Prepared, GraphError> {
    let status = write::status(params, &[Status::Active, Status::Paused])?.unwrap_or(Status::Active);
    let mut aliased = params.clone();
    for (alias, name) in [("time_start", "start_time"), ("time_stop", "end_time")] {
        if let (false, Some(value)) = (aliased.has(name), aliased.0.get(alias).cloned()) {
            aliased.0.insert(name.to_owned(), value);
        }
    }
    let mut fields = write::parameters(Kind::AdSet, &aliased)?;
    drop_removed(world, request.version, &mut fields);
    if !params.has("name") {
        return Err(write::required("name"));
    }
    let spec = params.json("campaign_spec").filter(|_| !params.has("campaign_id"));
    let is_new_campaign = spec.is_some();
    let campaign = match spec {
        Some(Value::Object(spec)) => campaign::prepare(world, request, account, &Params(spec))?,
        Some(_) => {
            return Err(GraphError::new(100, "(#100) param campaign_spec must be an array.")
                .blame(&["campaign_spec"]));
        }
        None if !params.has("campaign_id") => return Err(write::required("campaign_id")),
        None => {
            let campaign = campaign_for(world, account, fields.get("campaign_id"))?;
            limits(world, account, campaign.id)?;
            campaign.clone()
        }
    };
    fields.retain(|_, value| !value.is_null());
    fields.insert("campaign_id".into(), campaign.id.to_string().into());
    refusals::new_ad_set(world, request, &campaign, status, &fields)?;
    fields.remove("campaign_id");
    tidy(world, &mut fields);
    let ad_set = write::new_object(world, ObjectKind::AdSet, account, campaign.id, status, fields);
    Ok(Prepared { ad_set, campaign, is_new_campaign })
}

/// The campaign named by `campaign_id`: of this account, and not deleted or archived.
fn campaign_for<'w>(world: &'w World, account: u64, id: Option<&Value>) -> Result<&'w Object, GraphError> {
    let text = id.and_then(Value::as_str).unwrap_or_default();
    let campaign = text
        .parse()
        .ok()
        .and_then(|id| world.objects.of_kind(id, ObjectKind::Campaign))
        .filter(|campaign| campaign.account == account)
        .ok_or_else(|| {
            GraphError::new(100, "Invalid parameter")
                .blame(&["campaign_id"])
                .user("Campaign not found", format!("The campaign {text} does not exist in this ad account."))
        })?;
    if campaign.status.is_hidden() {
        return Err(GraphError::new(100, "Invalid parameter")
            .subcode(1_487_566)
            .blame(&["campaign_id"])
            .user(
                "The campaign cannot be used",
                format!(
                    "The campaign is {} and takes no new ad sets.",
                    campaign.status.name().to_lowercase()
                ),
            ));
    }
    Ok(campaign)
}

fn limits(world: &World, account: u64, campaign: u64) -> Result<(), GraphError> {
    let in_campaign = world.objects.children(campaign, ObjectKind::AdSet);
    let alive = |ids: &[u64]| {
        ids.iter().filter(|id| world.objects.get(**id).is_some_and(|o| o.status != Status::Deleted)).count()
    };
    if in_campaign.ids.len() >= PER_CAMPAIGN && alive(&in_campaign.ids) >= PER_CAMPAIGN {
        return Err(GraphError::new(100, "Invalid parameter").blame(&["campaign_id"]).user(
            "Too many ad sets in this campaign",
            format!("A campaign can hold {PER_CAMPAIGN} ad sets. Use another campaign, or delete ad sets."),
        ));
    }
    let in_account = world.objects.children(account, ObjectKind::AdSet);
    if in_account.ids.len() >= PER_ACCOUNT && alive(&in_account.ids) >= PER_ACCOUNT {
        return Err(GraphError::new(100, "Invalid parameter").user(
            "Too many ad sets in this ad account",
            format!("An ad account can hold {PER_ACCOUNT} ad sets that are not deleted. Delete some first."),
        ));
    }
    Ok(())
}

/// Takes out the placement that Meta took away and drops without a word.
pub fn drop_removed(world: &World, version: &str, fields: &mut Map<String, Value>) {
    let removal = versions::removal("messenger_story").expect("data/removals.toml has it");
    // The older protocol is that of before the day on which it went for every version.
    let at = if world.protocol.legacy { Timestamp::UNIX_EPOCH } else { world.clock.now() };
    let targeting = fields.get_mut("targeting").and_then(Value::as_object_mut);
    let Some(targeting) = targeting.filter(|_| removal.applies(version, at)) else { return };
    let Some(Value::Array(positions)) = targeting.get_mut("messenger_positions") else { return };
    positions.retain(|position| position != "story");
    if positions.is_empty() {
        targeting.shift_remove("messenger_positions");
    }
}

/// What Meta fills in.
fn tidy(world: &World, fields: &mut Map<String, Value>) {
    let now = super::time(world.clock.unix());
    fields.entry("start_time").or_insert_with(|| now.into());
    fields.entry("pacing_type").or_insert_with(|| json!(["standard"]));
}

/// Only a budget that really becomes another one counts for its meter.
fn update_ad_set(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let now = world.clock.unix();
    let validate_only = write::validate_only(request.params())?;
    let changes_budget = std::cell::Cell::new(false);
    let answer = write::update(world, request, node, |world, ad_set, changes| {
        refusals::changed_ad_set(world, request, ad_set, changes)?;
        let is_new = |name: &str| changes.get(name).is_some_and(|budget| Some(budget) != ad_set.field(name));
        if !validate_only && (is_new("daily_budget") || is_new("lifetime_budget")) {
            world.meters.ad_set_budget_is_free(ad_set.id, now)?;
            changes_budget.set(true);
        }
        Ok(())
    })?;
    if changes_budget.get() {
        world.meters.ad_set_budget_changed(node.number(), now);
    }
    Ok(answer)
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let object = scope.world.objects.of_kind(node.number(), ObjectKind::AdSet)?;
    match name {
        "campaign_id" => Some(object.parent.to_string().into()),
        "campaign" => Some(Cell::Node(Node::new(Kind::Campaign, object.parent.to_string()), &[])),
        "daily_budget" | "lifetime_budget" | "source_adset_id" => {
            Some(object.text(name).unwrap_or("0").into())
        }
        "budget_remaining" => {
            Some(object.text("daily_budget").or_else(|| object.text("lifetime_budget")).unwrap_or("0").into())
        }
        "is_dynamic_creative" => Some(object.field(name).cloned().unwrap_or(Value::Bool(false)).into()),
        "bid_info" => {
            let amount = object.field("bid_amount")?.clone();
            let event = match object.text("billing_event") {
                Some("IMPRESSIONS") | None => "IMPRESSIONS",
                Some(_) => "ACTIONS",
            };
            Some(json!({ event: amount }).into())
        }
        "learning_stage_info" if object.status == Status::Active => {
            Some(json!({ "status": "LEARNING", "conversions": 0 }).into())
        }
        "recurring_budget_semantics" | "use_new_app_click" => Some(false.into()),
        "special_ad_categories" => {
            scope.world.objects.get(object.parent)?.field(name).cloned().map(Cell::Value)
        }
        "source_adset" => Some(Cell::Node(Node::new(Kind::AdSet, object.text("source_adset_id")?), &[])),
        _ => write::common_field(scope.world, object, name).map(Cell::Value),
    }
}
