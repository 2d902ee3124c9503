//! Ads. Source: marketing-api/reference/adgroup.

use serde_json::{Map, Value, json};

use super::{
    Cell, Kind, List, Node, Request, Room, Route, Scope, ad_creative, ad_set, copies, create, delete, edge,
    insights, node, refusals, update, write,
};
use crate::{
    protocol::{GraphError, Params},
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

/// Ads, the archived and deleted ones aside, that one ad set can hold.
const PER_AD_SET: usize = 50;

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "ads", |_, node, _| Ok(List::objects(node.number(), ObjectKind::Ad))),
    create(Kind::AdAccount, "ads", create_ad),
    edge(Kind::Campaign, "ads", |_, node, _| Ok(List::objects(node.number(), ObjectKind::Ad))),
    edge(Kind::AdSet, "ads", |_, node, _| Ok(List::objects(node.number(), ObjectKind::Ad))),
    node(Kind::Ad),
    update(Kind::Ad, update_ad),
    delete(Kind::Ad, None, write::delete),
    create(Kind::Ad, "copies", copies::ad),
    edge(Kind::Ad, "insights", insights::list),
    edge(Kind::Ad, "adcreatives", |scope, node, _| {
        let creative = scope
            .world
            .objects
            .of_kind(node.number(), ObjectKind::Ad)
            .and_then(creative_id)
            .map(|id| Node::new(Kind::AdCreative, id));
        Ok(List::nodes(creative.into_iter().collect()))
    }),
];

fn create_ad(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let validate_only = write::validate_only(params)?;
    let status = write::status(params, &[Status::Active, Status::Paused])?.unwrap_or(Status::Active);
    let mut fields = write::parameters(Kind::Ad, params)?;
    for name in ["name", "creative"] {
        if !params.has(name) {
            return Err(write::required(name));
        }
    }
    let number = account.number();
    if let Some(spec) = params.json("adset_spec").filter(|_| !params.has("adset_id")) {
        return create_whole(world, request, number, status, fields, spec);
    }
    if !params.has("adset_id") {
        return Err(write::required("adset_id"));
    }
    let ad_set = ad_set_for(world, number, fields.remove("adset_id").as_ref())?;
    let ad_set_id = ad_set.id;
    if world.objects.children(ad_set_id, ObjectKind::Ad).visible() >= PER_AD_SET {
        return Err(GraphError::new(100, "Invalid parameter").blame(&["adset_id"]).user(
            "Too many ads in this ad set",
            format!(
                "An ad set can hold {PER_AD_SET} ads that are not archived. Archive or delete some first."
            ),
        ));
    }
    let spec = fields.get("creative").cloned().unwrap_or_default();
    let prepared = ad_creative::prepare(world, request, number, &spec)?;
    let campaign = world.objects.get(ad_set.parent);
    refusals::ad(world, request, campaign, ad_set, prepared.creative(world)?)?;
    if validate_only {
        return Ok(json!({ "success": true }));
    }
    let creative = prepared.settle(world);
    fields.insert("creative".into(), json!({ "creative_id": creative.to_string() }));
    let object = write::new_object(world, ObjectKind::Ad, number, ad_set_id, status, fields);
    let id = world.objects.insert(object);
    write::created(world, request, ObjectKind::Ad, id)
}

/// An ad that brings its ad set along, and that perhaps its campaign: all are made, or none.
fn create_whole(
    world: &mut World,
    request: &Request<'_>,
    account: u64,
    status: Status,
    mut fields: Map<String, Value>,
    spec: Value,
) -> Result<Value, GraphError> {
    let Value::Object(spec) = spec else {
        return Err(GraphError::new(100, "(#100) param adset_spec must be an array.").blame(&["adset_spec"]));
    };
    let ad_set = ad_set::prepare(world, request, account, &Params(spec))?;
    let creative = fields.get("creative").cloned().unwrap_or_default();
    let creative = ad_creative::prepare(world, request, account, &creative)?;
    refusals::ad(world, request, Some(&ad_set.campaign), &ad_set.ad_set, creative.creative(world)?)?;
    if write::validate_only(request.params())? {
        return Ok(json!({ "success": true }));
    }
    let creative = creative.settle(world);
    let ad_set = ad_set.settle(world);
    fields.insert("creative".into(), json!({ "creative_id": creative.to_string() }));
    let object = write::new_object(world, ObjectKind::Ad, account, ad_set, status, fields);
    let id = world.objects.insert(object);
    write::created(world, request, ObjectKind::Ad, id)
}

fn ad_set_for<'w>(world: &'w World, account: u64, id: Option<&Value>) -> Result<&'w Object, GraphError> {
    let text = id.and_then(Value::as_str).unwrap_or_default();
    let ad_set = text
        .parse()
        .ok()
        .and_then(|id| world.objects.of_kind(id, ObjectKind::AdSet))
        .filter(|ad_set| ad_set.account == account)
        .ok_or_else(|| {
            GraphError::new(100, "Invalid parameter")
                .blame(&["adset_id"])
                .user("Ad set not found", format!("The ad set {text} does not exist in this ad account."))
        })?;
    if ad_set.status.is_hidden() {
        let subcode = if ad_set.status == Status::Deleted { 1_487_056 } else { 1_487_566 };
        return Err(GraphError::new(100, "Invalid parameter").subcode(subcode).blame(&["adset_id"]).user(
            "The ad set cannot be used",
            format!("The ad set is {} and takes no new ads.", ad_set.status.name().to_lowercase()),
        ));
    }
    Ok(ad_set)
}

fn update_ad(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let account = world.objects.get(node.number()).map_or(0, |ad| ad.account);
    // A new creative may come whole; it is made first, and the ad then points to it.
    let Some(spec) = params.json("creative") else {
        return write::update(world, request, node, keeps_its_ad_set);
    };
    let prepared = ad_creative::prepare(world, request, account, &spec)?;
    if let Some(ad_set) = world.objects.get(node.number()).and_then(|ad| world.objects.get(ad.parent)) {
        let campaign = world.objects.get(ad_set.parent);
        refusals::ad(world, request, campaign, ad_set, prepared.creative(world)?)?;
    }
    if write::validate_only(params)? {
        return write::update(world, request, node, keeps_its_ad_set);
    }
    let creative = prepared.settle(world);
    let mut call = request.call.clone();
    call.params.0.insert("creative".into(), json!({ "creative_id": creative.to_string() }));
    let request =
        Request { call: &call, caller: request.caller, version: request.version, room: Room::default() };
    write::update(world, &request, node, keeps_its_ad_set)
}

/// An ad stays where it was made.
fn keeps_its_ad_set(_world: &World, ad: &Object, changes: &Map<String, Value>) -> Result<(), GraphError> {
    match changes.get("adset_id").and_then(Value::as_str) {
        Some(id) if id != ad.parent.to_string() => Err(GraphError::new(100, "Invalid parameter")
            .blame(&["adset_id"])
            .user("An ad cannot move", "The ad set of an ad cannot be changed. Create a new ad instead.")),
        _ => Ok(()),
    }
}

pub fn creative_id(ad: &Object) -> Option<&str> {
    ad.field("creative")?.get("creative_id")?.as_str()
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let object = scope.world.objects.of_kind(node.number(), ObjectKind::Ad)?;
    let ad_set = || scope.world.objects.get(object.parent);
    match name {
        "adset_id" => Some(object.parent.to_string().into()),
        "adset" => Some(Cell::Node(Node::new(Kind::AdSet, object.parent.to_string()), &[])),
        "campaign_id" => Some(ad_set()?.parent.to_string().into()),
        "campaign" => Some(Cell::Node(Node::new(Kind::Campaign, ad_set()?.parent.to_string()), &[])),
        "creative" => Some(Cell::Node(Node::new(Kind::AdCreative, creative_id(object)?), &[])),
        "targeting" => ad_set()?.field(name).cloned().map(Cell::Value),
        "last_updated_by_app_id" => Some(scope.caller.app_id.as_str().into()),
        "source_ad_id" => Some(object.text(name).unwrap_or("0").into()),
        "source_ad" => Some(Cell::Node(Node::new(Kind::Ad, object.text("source_ad_id")?), &[])),
        _ => write::common_field(scope.world, object, name).map(Cell::Value),
    }
}
