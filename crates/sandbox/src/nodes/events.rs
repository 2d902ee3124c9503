//! The Conversions API, as far as a CRM tells of stages. Sources: conversions-api/using-the-api, /parameters/server-event,
//! /best-practices, /conversion-leads-integration/payload-specification.

use serde_json::{Map, Value, json};

use super::{Kind, Node, Request, Route, create, write};
use crate::{
    protocol::{GraphError, Params},
    world::{World, events::Received},
};

pub const ROUTES: &[Route] = &[create(Kind::Pixel, "events", receive)];

/// Events of one call.
const AT_ONCE: usize = 1_000;
const DAY: i64 = 24 * 3600;
/// How old an event may be; one in a shop has longer.
const OLDEST: i64 = 7 * DAY;
const OLDEST_IN_A_SHOP: i64 = 62 * DAY;

const ACTION_SOURCES: [&str; 9] = [
    "email",
    "website",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
];

/// Customer data that is too common to tell people apart: nothing but some of these is not enough.
const TOO_COMMON: [&[&str]; 4] = [
    &["ct", "country", "st", "zp", "ge", "client_user_agent"],
    &["db", "client_user_agent"],
    &["fn", "ge"],
    &["ln", "ge"],
];

/// Takes all events of a call or none.
fn receive(world: &mut World, request: &Request<'_>, dataset: &Node) -> Result<Value, GraphError> {
    if !request.caller.has("ads_management") {
        return Err(GraphError::new(200, "(#200) Requires ads_management permission to manage the object")
            .status(http::StatusCode::FORBIDDEN));
    }
    let params = request.params();
    let events = events(params)?;
    let now = world.clock.unix();
    let mut taken = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        let event = event
            .as_object()
            .cloned()
            .ok_or_else(|| invalid(index, "Invalid event", "Every event must be an object."))?;
        let lead = check(world, &event, index, now)?;
        let made = lead.and_then(|id| world.leads.get(id)).map(|lead| lead.created());
        let time = event.get("event_time").and_then(integer);
        taken.push(Received {
            dataset: dataset.id.clone(),
            at: now,
            lead,
            before_its_lead: made.is_some_and(|made| time.is_some_and(|time| time < made)),
            test_event_code: params.text("test_event_code"),
            event: Value::Object(event),
        });
    }
    let count = taken.len();
    for received in taken {
        world.events.add(received);
    }
    let trace = format!("A{:016x}", world.draw());
    Ok(json!({ "events_received": count, "messages": [], "fbtrace_id": trace }))
}

/// The events, whether each is an object or an object written as text.
fn events(params: &Params) -> Result<Vec<Value>, GraphError> {
    let events = match params.json("data") {
        None => return Err(write::required("data")),
        Some(Value::Array(events)) => events,
        Some(_) => return Err(GraphError::new(100, "(#100) Param data must be an array.").blame(&["data"])),
    };
    if events.is_empty() || events.len() > AT_ONCE {
        return Err(GraphError::new(100, format!("(#100) Param data must hold from 1 to {AT_ONCE} events"))
            .blame(&["data"]));
    }
    Ok(events
        .into_iter()
        .map(|event| match event {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            event => event,
        })
        .collect())
}

/// What is wrong with an event, in the order in which it is looked at; else the lead it is about.
fn check(
    world: &World,
    event: &Map<String, Value>,
    index: usize,
    now: i64,
) -> Result<Option<u64>, GraphError> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("event_name").is_empty() {
        return Err(invalid(index, "Missing Event Name", "Every event needs an event_name."));
    }
    let source = text("action_source");
    if !ACTION_SOURCES.contains(&source) {
        return Err(write::not_one_of(&format!("data[{index}][action_source]"), &ACTION_SOURCES, source));
    }
    let Some(time) = event.get("event_time").and_then(integer) else {
        return Err(invalid(index, "Missing Event Time", "Every event needs an event_time in Unix seconds."));
    };
    let oldest = if source == "physical_store" { OLDEST_IN_A_SHOP } else { OLDEST };
    if time < now - oldest {
        return Err(too_old(index));
    }
    if time > now + 60 {
        return Err(invalid(index, "Invalid Event Time", "The event_time lies in the future."));
    }
    let Some(user) = event.get("user_data").and_then(Value::as_object).filter(|user| !user.is_empty()) else {
        return Err(missing_customer_data(index));
    };
    if TOO_COMMON.iter().any(|keys| user.keys().all(|key| keys.contains(&key.as_str()))) {
        return Err(missing_customer_data(index));
    }
    if source == "website" && (text("event_source_url").is_empty() || !user.contains_key("client_user_agent"))
    {
        return Err(invalid(
            index,
            "Missing Website Parameters",
            "Events of a website need event_source_url and client_user_agent.",
        ));
    }
    user.get("lead_id").map(|lead| known_lead(world, lead, index)).transpose()
}

/// A lead that was made here; an unknown one rejects its event, and a test lead is nobody.
fn known_lead(world: &World, lead: &Value, index: usize) -> Result<u64, GraphError> {
    let digits = lead.as_str().map_or_else(|| lead.to_string(), str::to_owned);
    let id = ((15..=17).contains(&digits.len())).then(|| digits.parse::<u64>().ok()).flatten();
    id.filter(|id| world.leads.get(*id).is_some_and(|lead| !lead.is_test())).ok_or_else(|| {
        invalid(index, "Invalid Lead ID", &format!("The lead_id {digits} is not the id of a lead."))
    })
}

/// Numbers come as text too.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn invalid(index: usize, title: &str, message: &str) -> GraphError {
    GraphError::new(100, "Invalid parameter")
        .user(title, message)
        .data(json!({ "blame_field_specs": [["data", index.to_string()]] }))
}

fn too_old(index: usize) -> GraphError {
    invalid(
        index,
        "Event Timestamp Too Old",
        "The timestamp of an event is too far in the past. Send events that are at most seven days old.",
    )
    .subcode(2_804_003)
}

fn missing_customer_data(index: usize) -> GraphError {
    invalid(
        index,
        "You Haven't Added Sufficient Customer Information Parameter Data For This Event",
        "The event does not have enough customer information to be matched. Add more, or a better combination.",
    )
    .subcode(2_804_050)
}
