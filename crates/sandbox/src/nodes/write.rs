//! What creating and changing objects have in common: reading parameters, refusing, answering.

use std::sync::Arc;

use adjoin_marketing::vocabulary;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Kind, Node, Request, ad_set, read, resolve,
    table::{self, WriteType},
    time,
};
use crate::{
    protocol::{GraphError, Params, fields},
    world::{
        World,
        objects::{Object, ObjectKind, Status},
    },
};

/// The parameters of a write that are kept, each as Meta would read it back. Unknown ones are ignored.
pub fn parameters(kind: Kind, params: &Params) -> Result<Map<String, Value>, GraphError> {
    let mut kept = Map::new();
    for (name, write_type) in &table::of(kind).write {
        if params.has(name)
            && let Some(value) = parameter(name, *write_type, params)?
        {
            kept.insert(name.clone(), value);
        }
    }
    words(&kept)?;
    let needs_name = matches!(kind, Kind::Campaign | Kind::AdSet | Kind::Ad);
    if needs_name && kept.get("name").and_then(Value::as_str).is_some_and(|name| name.trim().is_empty()) {
        return Err(required("name"));
    }
    Ok(kept)
}

fn parameter(name: &str, write_type: WriteType, params: &Params) -> Result<Option<Value>, GraphError> {
    let must =
        |what: &str| Err(GraphError::new(100, format!("(#100) Param {name} must be {what}")).blame(&[name]));
    let text = params.text(name).unwrap_or_default();
    let trimmed = text.trim();
    Ok(Some(match write_type {
        WriteType::Text => {
            if matches!(params.0.get(name), Some(Value::Object(_) | Value::Array(_))) {
                return must("a string");
            }
            text.into()
        }
        WriteType::Id => {
            if trimmed.is_empty() || !trimmed.bytes().all(|b| b.is_ascii_digit()) {
                return must("a valid ID string (e.g., \"123\")");
            }
            trimmed.into()
        }
        WriteType::Money => match trimmed.parse::<u64>() {
            Ok(amount) => amount.to_string().into(),
            Err(_) => return must("an integer"),
        },
        WriteType::Int => match trimmed.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => return must("an integer"),
        },
        WriteType::Bool => match params.bool(name) {
            Some(value) => value.into(),
            None => return must("a boolean"),
        },
        WriteType::Json => match params.json(name) {
            Some(value @ (Value::Object(_) | Value::Array(_))) => value,
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            _ => return must("an array."),
        },
        // Zero means "no end".
        WriteType::Time if trimmed == "0" => Value::Null,
        WriteType::Time => match unix_time(trimmed) {
            Some(unix) => time(unix).into(),
            None => return must("a valid time"),
        },
    }))
}

/// Unix seconds of an ISO 8601 time (any way to write the offset; without one, UTC) or of Unix seconds.
pub fn unix_time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let text = text.replacen(' ', "T", 1);
    text.parse::<Timestamp>()
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &text))
        .or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M%z", &text))
        .ok()
        .or_else(|| {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
        })
        .map(Timestamp::as_second)
}

/// The `status` parameter; `allowed` are those this write may set.
pub fn status(params: &Params, allowed: &[Status]) -> Result<Option<Status>, GraphError> {
    let Some(text) = params.text("status") else { return Ok(None) };
    let Some(status) = Status::parse(&text).filter(|status| allowed.contains(status)) else {
        let names: Vec<&str> = allowed.iter().map(|status| status.name()).collect();
        return Err(not_one_of("status", &names, &text));
    };
    Ok(Some(status))
}

/// Refuses words that are on none of Meta's lists.
fn words(fields: &Map<String, Value>) -> Result<(), GraphError> {
    use vocabulary::{Kind as List, Standing};
    for (name, list) in [
        ("objective", List::Objective),
        ("buying_type", List::BuyingType),
        ("bid_strategy", List::BidStrategy),
        ("optimization_goal", List::OptimizationGoal),
        ("billing_event", List::BillingEvent),
        ("destination_type", List::DestinationType),
    ] {
        let Some(word) = fields.get(name).and_then(Value::as_str) else { continue };
        let list = vocabulary::vocabulary(list);
        if matches!(list.standing(word), Standing::Unknown(_) | Standing::Misspelt(_)) {
            let names: Vec<&str> = list.values.iter().map(String::as_str).collect();
            return Err(not_one_of(name, &names, word));
        }
    }
    let event =
        fields.get("promoted_object").and_then(|promoted| promoted.get("custom_event_type")?.as_str());
    let events = vocabulary::vocabulary(List::CustomEventType);
    match event {
        Some(event) if matches!(events.standing(event), Standing::Unknown(_) | Standing::Misspelt(_)) => {
            let names: Vec<&str> = events.values.iter().map(String::as_str).collect();
            Err(not_one_of("promoted_object[custom_event_type]", &names, event)
                .blame(&["promoted_object", "custom_event_type"]))
        }
        _ => Ok(()),
    }
}

pub fn not_one_of(name: &str, names: &[&str], got: &str) -> GraphError {
    GraphError::new(
        100,
        format!("(#100) Param {name} must be one of {{{}}} - got \"{got}\".", names.join(", ")),
    )
    .blame(&[name])
}

pub fn required(name: &str) -> GraphError {
    GraphError::new(100, format!("(#100) The parameter {name} is required.")).blame(&[name])
}

/// `execution_options=["validate_only"]`: check everything, change nothing.
pub fn validate_only(params: &Params) -> Result<bool, GraphError> {
    let options = params.list("execution_options").unwrap_or_default();
    let known = ["validate_only", "include_recommendations", "synchronous_ad_review"];
    if let Some(unknown) = options.iter().find(|option| !known.contains(&option.as_str())) {
        return Err(not_one_of("execution_options", &known, unknown));
    }
    if options == ["include_recommendations"] {
        return Err(GraphError::new(
            100,
            "(#100) execution_options include_recommendations cannot be used by itself",
        ));
    }
    Ok(options.iter().any(|option| option == "validate_only"))
}

/// A new object of the account, stamped now. The id is set when it is inserted.
pub fn new_object(
    world: &World,
    kind: ObjectKind,
    account: u64,
    parent: u64,
    status: Status,
    mut fields: Map<String, Value>,
) -> Object {
    let now = world.clock.unix();
    let name = fields.remove("name").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    Object {
        id: 0,
        kind,
        account,
        parent,
        status,
        created: now,
        updated: now,
        name,
        fields: Arc::new(fields),
    }
}

/// The answer to a create: the id, or what was asked for.
pub fn created(world: &World, request: &Request<'_>, kind: ObjectKind, id: u64) -> Result<Value, GraphError> {
    let node = Node::new(resolve::kind_of(kind), id.to_string());
    match asked_for(world, request, &node)? {
        None => Ok(json!({ "id": node.id })),
        Some(fields) => read::node_fields(request.scope(world), &node, Some(&fields), &[]),
    }
}

/// The answer to an update: success, or what was asked for.
pub fn updated(world: &World, request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    match asked_for(world, request, node)? {
        None => Ok(json!({ "success": true })),
        Some(fields) => read::node_fields(request.scope(world), node, Some(&fields), &[]),
    }
}

/// The fields that the answer to a write shall have. The older `redownload` wants all that were kept.
fn asked_for(
    world: &World,
    request: &Request<'_>,
    node: &Node,
) -> Result<Option<Vec<fields::Field>>, GraphError> {
    let fields = fields::from_params(request.params())?;
    if fields.is_some() || request.params().bool("redownload") != Some(true) {
        return Ok(fields);
    }
    Ok(world.objects.get(node.number()).map(|object| {
        let readable = table::of(node.kind);
        let kept = object.fields.keys().map(String::as_str).filter(|name| readable.has_field(name));
        ["id", "name", "status"].into_iter().chain(kept).map(fields::Field::plain).collect()
    }))
}

/// Changes a campaign, ad set or ad. `check` sees the object as it stands and the changes.
pub fn update(
    world: &mut World,
    request: &Request<'_>,
    node: &Node,
    check: impl FnOnce(&World, &Object, &Map<String, Value>) -> Result<(), GraphError>,
) -> Result<Value, GraphError> {
    let params = request.params();
    let validate_only = validate_only(params)?;
    let mut changes = parameters(node.kind, params)?;
    if node.kind == Kind::AdSet {
        ad_set::drop_removed(world, request.version, &mut changes);
    }
    let all = [Status::Active, Status::Paused, Status::Deleted, Status::Archived];
    let status = status(params, &all)?;
    let id = node.number();
    let object = world.objects.get(id).ok_or_else(|| GraphError::unsupported_get(&node.id))?;
    only_the_name_of_the_gone(object, &changes, status)?;
    check(world, object, &changes)?;
    if validate_only {
        return Ok(json!({ "success": true }));
    }
    if node.kind == Kind::AdSet {
        // Fixed after creation, and Meta ignores it without a word.
        changes.remove("is_dynamic_creative");
    }
    let now = world.clock.unix();
    let name = changes.remove("name");
    if let Some(object) = world.objects.get_mut(id) {
        if let Some(name) = name.as_ref().and_then(Value::as_str) {
            name.clone_into(&mut object.name);
        }
        if !changes.is_empty() {
            let fields = object.fields_mut();
            for (key, value) in changes {
                if value.is_null() {
                    fields.remove(&key);
                } else {
                    fields.insert(key, value);
                }
            }
        }
        object.updated = now;
    }
    if let Some(status) = status {
        world.set_status(id, status);
    }
    updated(world, request, node)
}

/// Archived and deleted objects can be renamed; archived ones can be deleted too.
fn only_the_name_of_the_gone(
    object: &Object,
    changes: &Map<String, Value>,
    status: Option<Status>,
) -> Result<(), GraphError> {
    let status_kept = match (object.status, status) {
        (Status::Archived, None | Some(Status::Archived | Status::Deleted))
        | (Status::Deleted, None | Some(Status::Deleted)) => true,
        (Status::Archived | Status::Deleted, Some(_)) => false,
        (Status::Active | Status::Paused, _) => return Ok(()),
    };
    if status_kept && changes.keys().all(|name| name == "name") {
        return Ok(());
    }
    let (what, archived, deleted) = match object.kind {
        ObjectKind::Campaign => ("campaign", 1_487_566, 1_487_566),
        ObjectKind::AdSet => ("ad set", 1_487_566, 1_487_056),
        _ => ("ad", 1_885_088, 1_885_088),
    };
    let subcode = if object.status == Status::Deleted { deleted } else { archived };
    let state = object.status.name().to_lowercase();
    Err(GraphError::new(100, "Invalid parameter").subcode(subcode).user(
        format!("The {what} is {state}"),
        format!(
            "Only the name of {} {what} can be changed.",
            if state == "deleted" { "a deleted" } else { "an archived" }
        ),
    ))
}

/// `DELETE /{id}`.
pub fn delete(world: &mut World, _request: &Request<'_>, node: &Node) -> Result<Value, GraphError> {
    let id = world.objects.get(node.number()).ok_or_else(|| GraphError::unsupported_get(&node.id))?.id;
    world.set_status(id, Status::Deleted);
    Ok(json!({ "success": true }))
}

/// The fields every created object answers alike.
pub fn common_field(world: &World, object: &Object, name: &str) -> Option<Value> {
    Some(match name {
        "account_id" => object.account.to_string().into(),
        "name" => object.name.clone().into(),
        "status" | "configured_status" => object.status.name().into(),
        "effective_status" => world.objects.effective_status(object).into(),
        "created_time" => time(object.created).into(),
        "updated_time" => time(object.updated).into(),
        _ => object.field(name)?.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_many_spellings() {
        let expected = Some(1_795_507_200);
        for text in [
            "2026-11-24T08:00:00+0000",
            "2026-11-24T08:00:00Z",
            "2026-11-24T00:00:00-08:00",
            "2026-11-24T00:00:00-0800",
            "2026-11-24 08:00:00+0000",
            "2026-11-24T08:00:00",
            "1795507200",
        ] {
            assert_eq!(unix_time(text), expected, "{text}");
        }
        assert_eq!(unix_time("tomorrow"), None);
        assert_eq!(time(1_795_507_200), "2026-11-24T08:00:00+0000");
    }
}
