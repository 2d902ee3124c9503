//! Ad creatives. Source: marketing-api/reference/ad-creative.

use serde_json::{Map, Value, json};

use super::{
    Cell, Kind, List, Node, Request, Route, Scope, ad_image, create, delete, edge, node, refusals, update,
    write,
};
use crate::{
    protocol::{GraphError, Params},
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "adcreatives", |_, node, _| {
        Ok(List::objects(node.number(), ObjectKind::AdCreative))
    }),
    create(Kind::AdAccount, "adcreatives", create_creative),
    node(Kind::AdCreative),
    update(Kind::AdCreative, update_creative),
    delete(Kind::AdCreative, None, delete_creative),
];

/// A creative that passed its checks: one that exists, or one that is made when it is certain to be needed.
pub enum Prepared {
    Existing(u64),
    New(Box<Object>),
}

impl Prepared {
    pub fn creative<'a>(&'a self, world: &'a World) -> Result<&'a Object, GraphError> {
        match self {
            Self::Existing(id) => {
                world.objects.get(*id).ok_or_else(|| GraphError::unsupported_get(&id.to_string()))
            }
            Self::New(object) => Ok(object),
        }
    }

    pub fn settle(self, world: &mut World) -> u64 {
        match self {
            Self::Existing(id) => id,
            Self::New(object) => world.objects.insert(*object),
        }
    }
}

/// Reads the `creative` of an ad: `{"creative_id": ...}` (or `id`), or a whole creative.
pub fn prepare(
    world: &World,
    request: &Request<'_>,
    account: u64,
    spec: &Value,
) -> Result<Prepared, GraphError> {
    let Value::Object(spec) = spec else {
        return Err(GraphError::new(100, "(#100) param creative must be an array.").blame(&["creative"]));
    };
    let Some(id) = spec.get("creative_id").or_else(|| spec.get("id")) else {
        return new_creative(world, request, account, &Params(spec.clone()))
            .map(|object| Prepared::New(Box::new(object)));
    };
    let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    text.parse()
        .ok()
        .and_then(|id| world.objects.of_kind(id, ObjectKind::AdCreative))
        .filter(|creative| creative.account == account && creative.status != Status::Deleted)
        .map(|creative| Prepared::Existing(creative.id))
        .ok_or_else(|| {
            GraphError::new(100, "Invalid parameter")
                .blame(&["creative"])
                .user("Invalid creative", format!("The creative {text} does not exist in this ad account."))
        })
}

fn create_creative(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let validate_only = write::validate_only(params)?;
    let object = new_creative(world, request, account.number(), params)?;
    if validate_only {
        return Ok(json!({ "success": true }));
    }
    let id = world.objects.insert(object);
    write::created(world, request, ObjectKind::AdCreative, id)
}

/// What a creative can be made of; one of these is needed.
pub const SOURCES: &[&str] = &[
    "object_story_spec",
    "object_story_id",
    "asset_feed_spec",
    "object_id",
    "object_url",
    "image_hash",
    "image_url",
    "video_id",
    "link_url",
    "source_instagram_media_id",
    "template_url",
    "product_set_id",
];

fn new_creative(
    world: &World,
    request: &Request<'_>,
    account: u64,
    params: &Params,
) -> Result<Object, GraphError> {
    let mut fields = write::parameters(Kind::AdCreative, params)?;
    if !SOURCES.iter().any(|name| fields.contains_key(*name)) {
        return Err(GraphError::new(100, "Invalid parameter").blame(&["object_story_spec"]).user(
            "The creative is empty",
            "A creative needs an object_story_spec, an object_story_id or another source.",
        ));
    }
    check_images(world, account, &fields)?;
    fields.remove("status");
    let object = write::new_object(world, ObjectKind::AdCreative, account, account, Status::Active, fields);
    refusals::creative(world, request, &object)?;
    Ok(object)
}

/// Image hashes must be those of uploaded images.
fn check_images(world: &World, account: u64, fields: &Map<String, Value>) -> Result<(), GraphError> {
    let story = fields.get("object_story_spec");
    let hashes = [
        (fields.get("image_hash"), vec!["image_hash"]),
        (
            story.and_then(|s| s.pointer("/link_data/image_hash")),
            vec!["object_story_spec", "link_data", "image_hash"],
        ),
        (
            story.and_then(|s| s.pointer("/photo_data/image_hash")),
            vec!["object_story_spec", "photo_data", "image_hash"],
        ),
    ];
    for (hash, path) in hashes {
        let Some(hash) = hash.and_then(Value::as_str) else { continue };
        let known = world.objects.images.get(&(account, hash.to_owned())).is_some_and(|image| !image.deleted);
        if !known {
            return Err(GraphError::new(100, "Invalid parameter").blame(&path).user(
                "Image not found",
                format!("No image with the hash {hash} was uploaded to this ad account."),
            ));
        }
    }
    Ok(())
}

/// Only the name (and the labels) of a creative can change.
fn update_creative(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let validate_only = write::validate_only(params)?;
    let changes = write::parameters(Kind::AdCreative, params)?;
    if changes.get("status").and_then(Value::as_str) == Some("DELETED") && !validate_only {
        return delete_creative(world, request, node);
    }
    if let Some(name) = changes.keys().find(|name| !matches!(name.as_str(), "name" | "adlabels" | "status")) {
        return Err(GraphError::new(100, "Invalid parameter").blame(&[name]).user(
            "A creative cannot be changed",
            format!("Only the name of a creative can be changed, not {name}. Create a new creative instead."),
        ));
    }
    if !validate_only && let Some(object) = world.objects.get_mut(node.number()) {
        if let Some(name) = changes.get("name").and_then(Value::as_str) {
            name.clone_into(&mut object.name);
        }
        if let Some(labels) = changes.get("adlabels") {
            object.fields_mut().insert("adlabels".into(), labels.clone());
        }
    }
    write::updated(world, request, node)
}

/// A creative that an ad uses stays.
fn delete_creative(world: &mut World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let account = world.objects.get(node.number()).map_or(0, |creative| creative.account);
    let used = world.objects.children(account, ObjectKind::Ad).ids.iter().any(|id| {
        world.objects.get(*id).is_some_and(|ad| {
            ad.status != Status::Deleted && super::ad::creative_id(ad) == Some(node.id.as_str())
        })
    });
    if used {
        return Err(GraphError::new(100, "Invalid parameter")
            .user("The creative is in use", "An ad uses this creative. Delete the ad first."));
    }
    write::delete(world, request, node)
}

/// The Page a creative speaks for.
pub fn page_id(creative: &Object) -> Option<&str> {
    let of_story = creative.field("object_story_spec").and_then(|story| story.get("page_id")?.as_str());
    let of_post = creative.text("object_story_id").and_then(|id| id.split_once('_')).map(|(page, _)| page);
    of_story.or(of_post).or_else(|| creative.text("object_id"))
}

pub fn field(scope: Scope<'_>, node: &Node, name: &str) -> Option<Cell> {
    let object = scope.world.objects.of_kind(node.number(), ObjectKind::AdCreative)?;
    match name {
        "effective_object_story_id" => {
            let post = object.text("object_story_id").map(str::to_owned);
            Some(post.or_else(|| Some(format!("{}_{}", page_id(object)?, object.id)))?.into())
        }
        "actor_id" => object.text(name).or_else(|| page_id(object)).map(Into::into),
        "object_type" => Some(object_type(object).into()),
        "call_to_action_type" => {
            let story = object.field("object_story_spec");
            let of_story = ["link_data", "video_data", "photo_data"]
                .iter()
                .find_map(|data| story?.get(data)?.get("call_to_action")?.get("type")?.as_str());
            object.text(name).or(of_story).map(Into::into)
        }
        "image_hash" => {
            let story = object.field("object_story_spec");
            object.text(name).or_else(|| story?.pointer("/link_data/image_hash")?.as_str()).map(Into::into)
        }
        "image_urls_for_viewing" => {
            let story = object.field("object_story_spec");
            let of_story = |path: &str| story?.pointer(path)?.as_str();
            let hash = object
                .text("image_hash")
                .or_else(|| of_story("/link_data/image_hash"))
                .or_else(|| of_story("/photo_data/image_hash"));
            let elsewhere = object
                .text("image_url")
                .or_else(|| of_story("/link_data/picture"))
                .or_else(|| of_story("/photo_data/url"));
            let url = hash
                .map(|hash| ad_image::url(&scope.call.base_url, object.account, hash))
                .or_else(|| elsewhere.map(str::to_owned))?;
            Some(json!([url]).into())
        }
        "status" => Some(if object.status == Status::Deleted { "DELETED" } else { "ACTIVE" }.into()),
        _ => write::common_field(scope.world, object, name).map(Cell::Value),
    }
}

fn object_type(creative: &Object) -> &'static str {
    let story = creative.field("object_story_spec");
    let has = |name: &str| story.is_some_and(|story| story.get(name).is_some());
    if has("video_data") || creative.field("video_id").is_some() {
        "VIDEO"
    } else if has("photo_data") {
        "PHOTO"
    } else if has("text_data") {
        "STATUS"
    } else {
        "SHARE"
    }
}
