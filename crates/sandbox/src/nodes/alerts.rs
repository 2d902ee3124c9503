//! Alerts of an ad account: rules that are told of when they come true. Source: ads-webhooks/subscriptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Action, Kind, List, Node, Request, Route, create, delete, edge, filter, write};
use crate::{
    protocol::{GraphError, Method, Params},
    world::{
        World,
        objects::Object,
        webhooks::{Alert, level},
    },
};

/// An alert stands below the edge, and is no node of its own.
const ITEM: &str = "subscriptions/{id}";

pub const ROUTES: &[Route] = &[
    edge(Kind::AdAccount, "subscriptions", |scope, account, _| {
        let alerts = scope.world.webhooks.alerts.values();
        let own =
            alerts.filter(|alert| alert.account == account.number() && alert.app == scope.caller.app_id);
        Ok(List::plain(own.map(Alert::to_json).collect()))
    }),
    create(Kind::AdAccount, "subscriptions", create_alert),
    Route {
        method: Method::Get,
        kind: Kind::AdAccount,
        edge: Some(ITEM),
        action: Action::Do(|world, request, account| Ok(find(world, request, account)?.to_json())),
    },
    Route { method: Method::Patch, kind: Kind::AdAccount, edge: Some(ITEM), action: Action::Do(switch) },
    create(Kind::AdAccount, ITEM, switch),
    delete(Kind::AdAccount, Some(ITEM), |world, request, account| {
        let id = find(world, request, account)?.id;
        world.webhooks.alerts.remove(&id);
        Ok(json!({ "success": true }))
    }),
];

/// Conditions that say which objects an alert is about.
const FILTERS: usize = 20;
const EVENT_TYPES: [&str; 4] =
    ["OBJECT_CREATED", "OBJECT_UPDATED", "INSIGHTS_UPDATED", "INSIGHTS_MILESTONE_REACHED"];

#[derive(Deserialize)]
struct Table {
    metadata: BTreeMap<String, String>,
    metrics: Metrics,
    milestones: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Metrics {
    operators: String,
    names: String,
    families: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/alerts.toml")).expect("data/alerts.toml is well-formed")
});

/// The alert that the third part of the path names.
fn find<'w>(world: &'w World, request: &Request<'_>, account: &Node) -> Result<&'w Alert, GraphError> {
    let id = request.call.path.get(2).map_or("", String::as_str);
    id.parse()
        .ok()
        .and_then(|id: u64| world.webhooks.alerts.get(&id))
        .filter(|alert| alert.account == account.number() && alert.app == request.caller.app_id)
        .ok_or_else(|| GraphError::unsupported_get(id))
}

/// Looks for what a call makes and changes, for the alerts that are about it.
pub struct Watch {
    made: usize,
    /// The object that is called, as it was.
    before: Option<Object>,
}

impl Watch {
    pub fn begin(world: &World, node: &Node) -> Self {
        // Most worlds have no alert.
        let before =
            if world.webhooks.alerts.is_empty() { None } else { world.objects.get(node.number()).cloned() };
        Self { made: world.objects.count(), before }
    }

    pub fn end(self, world: &mut World) {
        if world.webhooks.alerts.is_empty() {
            return;
        }
        for id in world.objects.made_after(self.made) {
            tell(world, id, None);
        }
        if let Some(before) = self.before {
            tell(world, before.id, Some(&before));
        }
    }
}

/// Tells of an object that was made, or changed from what it was before.
fn tell(world: &mut World, id: u64, before: Option<&Object>) {
    let Some(object) = world.objects.get(id) else { return };
    let Some(kind) = level(object.kind) else { return };
    let event_type = if before.is_some() { "OBJECT_UPDATED" } else { "OBJECT_CREATED" };
    let true_ones: Vec<(Alert, Option<Value>)> = world
        .webhooks
        .alerts
        .values()
        .filter(|alert| alert.enabled && alert.account == object.account && alert.event_type == event_type)
        .filter(|alert| is_about(world, alert, object))
        .filter_map(|alert| {
            let Some(field) = &alert.field else { return Some((alert.clone(), None)) };
            let now = value(world, object, field);
            let changed = before.is_some_and(|before| value(world, before, field) != now);
            let met = alert.operator.as_ref().is_none_or(|operator| {
                let wanted = operand(alert.value.as_deref().unwrap_or_default());
                filter::holds(operator, &wanted, now.as_ref()).unwrap_or(false)
            });
            (changed && met).then(|| (alert.clone(), now))
        })
        .collect();
    for (alert, current) in true_ones {
        world.raise_alert(&alert, id, kind, current.map(|value| plain(&value)));
    }
}

fn is_about(world: &World, alert: &Alert, object: &Object) -> bool {
    alert.filters.as_array().into_iter().flatten().all(|condition| {
        let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
        let wanted = condition.get("value").map_or(Value::Null, |value| match value {
            Value::String(text) => operand(text),
            other => other.clone(),
        });
        filter::holds(text("operator"), &wanted, value(world, object, text("field")).as_ref())
            .unwrap_or(false)
    })
}

/// What an object has in a field that alerts know.
fn value(world: &World, object: &Object, field: &str) -> Option<Value> {
    Some(match field {
        "entity_type" => level(object.kind)?.to_uppercase().into(),
        "name" => object.name.clone().into(),
        "status" => object.status.name().into(),
        "effective_status" => world.objects.effective_status(object).into(),
        "created_time" => object.created.into(),
        "updated_time" => object.updated.into(),
        "objective" | "buying_type" => world.objects.campaign_of(object)?.field(field)?.clone(),
        "adlabel_ids" => object
            .field("adlabels")?
            .as_array()?
            .iter()
            .filter_map(|label| label.get("id").cloned())
            .collect(),
        _ => object.field(field)?.clone(),
    })
}

/// Ranges and lists are written as text: `[1000,2000]` or `1000,2000`.
fn operand(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(list @ Value::Array(_)) => list,
        _ if text.contains(',') => text.split(',').map(str::trim).collect(),
        _ => text.into(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn switch(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let enabled = status(request.params())?.ok_or_else(|| write::required("status"))?;
    let id = find(world, request, account)?.id;
    if let Some(alert) = world.webhooks.alerts.get_mut(&id) {
        alert.enabled = enabled;
    }
    Ok(json!({ "success": true }))
}

fn status(params: &Params) -> Result<Option<bool>, GraphError> {
    match params.text("status").as_deref() {
        None => Ok(None),
        Some("ENABLED") => Ok(Some(true)),
        Some("DISABLED") => Ok(Some(false)),
        Some(other) => Err(write::not_one_of("status", &["ENABLED", "DISABLED"], other)),
    }
}

fn create_alert(world: &mut World, request: &Request<'_>, account: &Node) -> Result<Value, GraphError> {
    let params = request.params();
    let told = world
        .webhooks
        .app_subscription(&request.caller.app_id, "ad_account")
        .is_some_and(|subscription| subscription.fields.iter().any(|field| field == "subscriptions"));
    if !told {
        return Err(GraphError::new(100, "Invalid parameter").user(
            "The app is not subscribed",
            "Subscribe the app to the subscriptions field of the ad_account object first.",
        ));
    }
    let event_type = params.text("event_type").ok_or_else(|| write::required("event_type"))?;
    if !EVENT_TYPES.contains(&event_type.as_str()) {
        return Err(write::not_one_of("event_type", &EVENT_TYPES, &event_type));
    }
    let filters = filters(params)?;
    let text = |name: &str| params.text(name);
    let (field, value, operator) = (text("field"), text("value"), text("operator"));
    check(&event_type, field.as_deref(), value.as_deref(), operator.as_deref())?;
    let enabled = status(params)?.unwrap_or(true);
    let id = world.leads.make_id().parse().unwrap_or_default();
    let app = request.caller.app_id.clone();
    let alert =
        Alert { id, account: account.number(), app, event_type, field, value, operator, filters, enabled };
    world.webhooks.alerts.insert(id, alert);
    Ok(json!({ "subscription_id": id.to_string() }))
}

fn filters(params: &Params) -> Result<Value, GraphError> {
    let filters = params.json("filters").ok_or_else(|| write::required("filters"))?;
    let wrong = |why: String| Err(GraphError::new(100, why).blame(&["filters"]));
    let Some(conditions) = filters.as_array() else {
        return wrong("(#100) Param filters must be an array.".to_owned());
    };
    if conditions.is_empty() || conditions.len() > FILTERS {
        return wrong(format!("(#100) Param filters must hold from 1 to {FILTERS} conditions"));
    }
    for condition in conditions {
        if !["field", "operator"].iter().all(|name| condition.get(name).is_some_and(Value::is_string))
            || condition.get("value").is_none()
        {
            return wrong("(#100) Each item of param filters needs field, value and operator".to_owned());
        }
        let entity = condition["field"] == "entity_type";
        let known = ["CAMPAIGN", "ADSET", "AD"];
        if entity && !known.iter().any(|level| condition["value"] == *level) {
            return Err(write::not_one_of("filters[entity_type]", &known, &condition["value"].to_string()));
        }
    }
    Ok(filters)
}

/// What each event type needs.
fn check(
    event_type: &str,
    field: Option<&str>,
    value: Option<&str>,
    operator: Option<&str>,
) -> Result<(), GraphError> {
    let table = &*TABLE;
    let operators: BTreeSet<&str> = match (event_type, field) {
        ("OBJECT_CREATED", None) => return Ok(()),
        ("OBJECT_CREATED", Some(_)) => {
            return Err(GraphError::new(100, "(#100) OBJECT_CREATED takes no field").blame(&["field"]));
        }
        (_, None) => return Err(write::required("field")),
        ("OBJECT_UPDATED", Some(field)) => {
            let Some(operators) = table.metadata.get(field) else {
                let names: Vec<&str> = table.metadata.keys().map(String::as_str).collect();
                return Err(write::not_one_of("field", &names, field));
            };
            if value.is_none() && operator.is_none() {
                return Ok(());
            }
            operators.split_whitespace().collect()
        }
        ("INSIGHTS_UPDATED", Some(field)) => {
            let metrics = &table.metrics;
            let known = metrics.names.split_whitespace().any(|name| name == field)
                || metrics.families.split_whitespace().any(|family| field.starts_with(family));
            if !known {
                let names: Vec<&str> = metrics.names.split_whitespace().collect();
                return Err(write::not_one_of("field", &names, field));
            }
            metrics.operators.split_whitespace().collect()
        }
        (_, Some(field)) => {
            let family =
                ["app_custom_event", "offsite_conversion"].iter().any(|family| field.starts_with(family));
            let least = table.milestones.get(field).copied().or(family.then_some(1));
            let Some(least) = least else {
                let names: Vec<&str> = table.milestones.keys().map(String::as_str).collect();
                return Err(write::not_one_of("field", &names, field));
            };
            if value.and_then(|value| value.parse::<i64>().ok()).is_none_or(|value| value < least) {
                return Err(GraphError::new(100, format!("(#100) Param value must be at least {least}"))
                    .blame(&["value"]));
            }
            BTreeSet::from(["EQUAL"])
        }
    };
    let operator = operator.ok_or_else(|| write::required("operator"))?;
    if value.is_none() {
        return Err(write::required("value"));
    }
    if operators.contains(operator) {
        return Ok(());
    }
    Err(write::not_one_of("operator", &operators.into_iter().collect::<Vec<_>>(), operator))
}
