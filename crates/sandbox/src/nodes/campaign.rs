//! Campaigns. Source: marketing-api/reference/ad-campaign-group.

use serde_json::{Map, Value, json};

use super::{
    Cell, Kind, List, Node, Request, Route, Scope, copies, create, delete, edge, insights, node, refusals,
    update, write,
};
use crate::{
    protocol::{GraphError, Params},
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "campaigns", |_, node, _| Ok(List::objects(node.number(), ObjectKind::Campaign))),
    create(Kind::AdAccount, "campaigns", create_campaign),
    node(Kind::Campaign),
    update(Kind::Campaign, |world, request, node| {
        write::update(world, request, node, |world, campaign, changes| {
            refusals::changed_campaign(world, request, campaign, changes)
        })
    }),
    delete(Kind::Campaign, None, write::delete),
    create(Kind::Campaign, "copies", copies::campaign),
    edge(Kind::Campaign, "insights", insights::list),
];

fn create_campaign(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let validate_only = write::validate_only(request.params())?;
    let campaign = prepare(world, request, account.number(), request.params())?;
    if validate_only {
        return Ok(json!({ "success": true }));
    }
    let id = world.objects.insert(campaign);
    write::created(world, request, ObjectKind::Campaign, id)
}

/// Checks a campaign that is to be created, from the call's parameters or an ad set's `campaign_spec`.
pub fn prepare(
    world: &World,
    request: &Request<'_>,
    account: u64,
    params: &Params,
) -> Result<Object, GraphError> {
    let status = write::status(params, &[Status::Active, Status::Paused])?.unwrap_or(Status::Active);
    let mut fields = write::parameters(Kind::Campaign, params)?;
    for name in ["name", "objective", "special_ad_categories"] {
        if !params.has(name) {
            return Err(write::required(name));
        }
    }
    refusals::campaign(world, request, account, status, &fields)?;
    tidy(&mut fields);
    Ok(write::new_object(world, ObjectKind::Campaign, account, account, status, fields))
}

/// What Meta fills in or rewrites.
fn tidy(fields: &mut Map<String, Value>) {
    if let Some(categories) = fields.get_mut("special_ad_categories").and_then(Value::as_array_mut) {
        categories.retain(|category| category != "NONE");
    }
    fields.entry("buying_type").or_insert_with(|| "AUCTION".into());
    let has_budget = fields.contains_key("daily_budget") || fields.contains_key("lifetime_budget");
    if has_budget {
        fields.entry("bid_strategy").or_insert_with(|| "LOWEST_COST_WITHOUT_CAP".into());
    }
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let object = scope.world.objects.of_kind(node.number(), ObjectKind::Campaign)?;
    match name {
        "budget_remaining" => {
            let budget =
                object.text("daily_budget").or_else(|| object.text("lifetime_budget")).unwrap_or("0");
            Some(budget.into())
        }
        "special_ad_category" => {
            let first = object.field("special_ad_categories").and_then(|list| list.get(0)?.as_str());
            Some(first.unwrap_or("NONE").into())
        }
        "start_time" | "stop_time" => times(scope.world, object, name),
        "budget_rebalance_flag" | "can_create_brand_lift_study" => Some(false.into()),
        "can_use_spend_cap" => Some(true.into()),
        "source_campaign_id" => Some(object.text("source_campaign_id").unwrap_or("0").into()),
        "source_campaign" => {
            let source = object.text("source_campaign_id")?;
            Some(Cell::Node(Node::new(Kind::Campaign, source), &[]))
        }
        _ => write::common_field(scope.world, object, name).map(Cell::Value),
    }
}

/// Merged from the ad sets: the first start, the last end.
fn times(world: &World, campaign: &Object, name: &str) -> Option<Cell> {
    let (of, pick): (&str, fn(i64, i64) -> i64) =
        if name == "start_time" { ("start_time", i64::min) } else { ("end_time", i64::max) };
    let ids = &world.objects.children(campaign.id, ObjectKind::AdSet).ids;
    let merged =
        ids.iter().filter_map(|id| world.objects.get(*id)?.text(of).and_then(write::unix_time)).reduce(pick);
    match merged {
        Some(unix) => Some(super::time(unix).into()),
        None if name == "start_time" => Some(
            campaign.text("start_time").map_or_else(|| super::time(campaign.created), str::to_owned).into(),
        ),
        None => campaign.text("stop_time").map(Into::into),
    }
}
