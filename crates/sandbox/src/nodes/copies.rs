//! Copies of campaigns, ad sets and ads. Source: marketing-api/reference/ad-campaign-group/copies.

use serde_json::{Value, json};

use super::{Node, Request, write};
use crate::{
    protocol::GraphError,
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

/// Objects one synchronous deep copy may make; more must go through the asynchronous way.
const DEEP_LIMIT: usize = 51;

/// How a copy differs from its source.
struct Options {
    deep: bool,
    status: CopiedStatus,
    prefix: String,
    suffix: String,
}

enum CopiedStatus {
    Fixed(Status),
    Inherited,
}

fn options(request: &Request<'_>) -> Result<Options, GraphError> {
    let params = request.params();
    let status = match params.text("status_option").as_deref() {
        None | Some("PAUSED") => CopiedStatus::Fixed(Status::Paused),
        Some("ACTIVE") => CopiedStatus::Fixed(Status::Active),
        Some("INHERITED_FROM_SOURCE") => CopiedStatus::Inherited,
        Some(other) => {
            let names = ["ACTIVE", "INHERITED_FROM_SOURCE", "PAUSED"];
            return Err(write::not_one_of("status_option", &names, other));
        }
    };
    let rename = params.json("rename_options").unwrap_or_default();
    let affix = |name: &str| rename.get(name).and_then(Value::as_str).map(str::to_owned);
    let renames = rename.get("rename_strategy").and_then(Value::as_str) != Some("NO_RENAME");
    Ok(Options {
        deep: params.bool("deep_copy") == Some(true),
        status,
        prefix: affix("rename_prefix").unwrap_or_default(),
        suffix: affix("rename_suffix")
            .unwrap_or_else(|| if renames { " - Copy".into() } else { String::new() }),
    })
}

/// What was made, as `ad_object_ids` tells it.
struct Copied {
    kind: &'static str,
    source: u64,
    copy: u64,
}

fn copy(world: &mut World, source: &Object, parent: u64, options: &Options, made: &mut Vec<Copied>) -> u64 {
    let now = world.clock.unix();
    let status = match options.status {
        CopiedStatus::Fixed(status) => status,
        CopiedStatus::Inherited if source.status.is_hidden() => Status::Paused,
        CopiedStatus::Inherited => source.status,
    };
    let (kind, below, source_field) = match source.kind {
        ObjectKind::Campaign => ("campaign", Some(ObjectKind::AdSet), "source_campaign_id"),
        ObjectKind::AdSet => ("ad_set", Some(ObjectKind::Ad), "source_adset_id"),
        _ => ("ad", None, "source_ad_id"),
    };
    let mut object = source.clone();
    object.fields_mut().insert(source_field.into(), source.id.to_string().into());
    object.parent = parent;
    object.status = status;
    object.created = now;
    object.updated = now;
    object.name = format!("{}{}{}", options.prefix, source.name, options.suffix);
    let id = world.objects.insert(object);
    made.push(Copied { kind, source: source.id, copy: id });
    if let (true, Some(below)) = (options.deep, below) {
        for child in visible_children(world, source.id, below) {
            copy(world, &child, id, options, made);
        }
    }
    id
}

fn visible_children(world: &World, parent: u64, kind: ObjectKind) -> Vec<Object> {
    let ids = &world.objects.children(parent, kind).ids;
    ids.iter().filter_map(|id| world.objects.get(*id)).filter(|o| !o.status.is_hidden()).cloned().collect()
}

fn perform(
    world: &mut World,
    request: &Request<'_>,
    node: &Node,
    new_parent: Option<(&str, ObjectKind)>,
    answer_key: &str,
) -> Result<Value, GraphError> {
    let options = options(request)?;
    let source =
        world.objects.get(node.number()).cloned().ok_or_else(|| GraphError::unsupported_get(&node.id))?;
    let mut parent = source.parent;
    if let Some((name, kind)) = new_parent
        && let Some(text) = request.params().text(name)
    {
        parent = text
            .parse()
            .ok()
            .and_then(|id| world.objects.of_kind(id, kind))
            .filter(|target| target.account == source.account && !target.status.is_hidden())
            .map(|target| target.id)
            .ok_or_else(|| {
                GraphError::new(100, "Invalid parameter").blame(&[name]).user(
                    "Target not found",
                    format!("{text} is not in this ad account, or takes nothing new."),
                )
            })?;
    }
    if options.deep {
        let children = match source.kind {
            ObjectKind::Campaign => {
                world.objects.children(source.id, ObjectKind::AdSet).visible()
                    + world.objects.children(source.id, ObjectKind::Ad).visible()
            }
            _ => world.objects.children(source.id, ObjectKind::Ad).visible(),
        };
        if children >= DEEP_LIMIT {
            return Err(GraphError::new(100, "Invalid parameter").subcode(1_885_194).blame(&["deep_copy"]).user(
                "Too much to copy at once",
                format!("A synchronous copy can make {DEEP_LIMIT} objects. Copy asynchronously, or piece by piece."),
            ));
        }
    }
    let mut made = Vec::new();
    let id = copy(world, &source, parent, &options, &mut made);
    let ids: Vec<Value> = made
        .iter()
        .map(|m| json!({ "ad_object_type": m.kind, "source_id": m.source.to_string(), "copied_id": m.copy.to_string() }))
        .collect();
    Ok(json!({ answer_key: id.to_string(), "ad_object_ids": ids }))
}

pub fn campaign(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    perform(world, request, node, None, "copied_campaign_id")
}

pub fn ad_set(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    perform(world, request, node, Some(("campaign_id", ObjectKind::Campaign)), "copied_adset_id")
}

pub fn ad(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    perform(world, request, node, Some(("adset_id", ObjectKind::AdSet)), "copied_ad_id")
}
