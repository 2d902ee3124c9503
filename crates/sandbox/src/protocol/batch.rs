//! Batch requests: up to fifty calls in one, which may refer to each other's answers.
//!
//! Sources: marketing-api/asyncrequests, graph-api/batch-requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Answer, Call, FilePart, GraphError, Method, Params,
    answer::{self, Trace},
    jsonpath, wire,
};
use crate::{login, meters::Usage, nodes, world::World};

pub const MAX_ITEMS: usize = 50;

/// One item as the client wrote it.
struct Item {
    method: Method,
    relative_url: String,
    body: Body,
    name: Option<String>,
    /// `None` leaves it to whether other items refer to this one.
    omit_on_success: Option<bool>,
    depends_on: Vec<String>,
    attached_files: Vec<String>,
    token: Option<String>,
    if_none_match: Option<String>,
}

enum Body {
    None,
    Urlencoded(String),
    Json(serde_json::Map<String, Value>),
}

enum State {
    Waiting,
    Running,
    Done(Answer),
}

/// Answers a whole batch. The outer status is 200 whatever becomes of the items.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    let trace = Trace::next(world);
    let settled = answer::settle_batch(world, call);
    let usage = Usage::default();
    let settled = match settled {
        Ok(settled) => settled,
        Err(error) => return answer::finish(world, call, None, Err(error), &usage, &trace),
    };
    let mut delay = Duration::ZERO;
    let result = run(world, call, &mut delay);
    Answer { delay, ..answer::finish(world, call, Some(&settled), result, &usage, &trace) }
}

/// `delay` becomes that of the slowest item: items run side by side.
fn run(world: &mut World, call: &Call, delay: &mut Duration) -> Result<Value, GraphError> {
    if call.params.has("asyncbatch") {
        return Err(nodes::not_implemented(&Call { path: vec!["asyncbatch".into()], ..call.clone() }));
    }
    let mut outer = call.clone();
    outer.path = vec!["me".into()];
    login::authenticate(world, &outer)?;
    let items = items(call)?;
    let names = names(&items)?;
    let referenced: Vec<bool> = items
        .iter()
        .map(|item| {
            item.name.as_ref().is_some_and(|name| {
                items.iter().any(|other| other.depends_on.contains(name) || other.refers_to(name))
            })
        })
        .collect();
    let mut states: Vec<State> = items.iter().map(|_| State::Waiting).collect();
    let mut campaigns = BTreeSet::new();
    for index in 0..items.len() {
        settle(world, call, &items, &names, &mut states, &mut campaigns, index);
    }
    let with_headers = call.params.bool("include_headers") != Some(false);
    let answers = items
        .iter()
        .zip(states)
        .zip(referenced)
        .map(|((item, state), referenced)| {
            let State::Done(answer) = state else { return Value::Null };
            *delay = answer.delay.max(*delay);
            let omit = item.omit_on_success.unwrap_or(referenced);
            if omit && answer.status.is_success() { Value::Null } else { written(&answer, with_headers) }
        })
        .collect();
    Ok(Value::Array(answers))
}

fn written(answer: &Answer, with_headers: bool) -> Value {
    let mut item = serde_json::Map::new();
    item.insert("code".into(), answer.status.as_u16().into());
    if with_headers {
        let content_type = json!({ "name": "Content-Type", "value": "application/json; charset=UTF-8" });
        let headers = std::iter::once(content_type).chain(
            answer
                .headers
                .iter()
                .map(|(name, value)| json!({ "name": canonical(name.as_str()), "value": value })),
        );
        item.insert("headers".into(), headers.collect());
    }
    let body = match answer.status {
        StatusCode::NOT_MODIFIED => Value::Null,
        _ => answer.body.to_string().into(),
    };
    item.insert("body".into(), body);
    Value::Object(item)
}

/// `x-fb-rev` → `X-Fb-Rev`: in a batch header names are text, and clients compare them as Meta writes them.
fn canonical(name: &str) -> String {
    if name.starts_with("x-fb") || name.starts_with("facebook") {
        return name.to_owned();
    }
    name.split('-')
        .map(|part| match part {
            "www" => "WWW".to_owned(),
            "etag" => "ETag".to_owned(),
            _ => part[..1].to_uppercase() + &part[1..],
        })
        .collect::<Vec<_>>()
        .join("-")
}

impl Item {
    fn refers_to(&self, name: &str) -> bool {
        let needle = format!("result={name}:");
        let holds = |text: &str| {
            text.contains(&needle)
                || url::form_urlencoded::parse(text.as_bytes())
                    .any(|(key, value)| value.contains(&needle) || key.contains(&needle))
        };
        holds(&self.relative_url)
            || match &self.body {
                Body::None => false,
                Body::Urlencoded(text) => holds(text),
                Body::Json(map) => Value::Object(map.clone()).to_string().contains(&needle),
            }
    }
}

fn items(call: &Call) -> Result<Vec<Item>, GraphError> {
    let Some(Value::Array(list)) = call.params.json("batch") else {
        return Err(batch_error("(#100) param batch must be an array."));
    };
    if list.len() > MAX_ITEMS {
        return Err(batch_error(&format!(
            "Too many requests in batch message. Maximum batch size is {MAX_ITEMS}"
        )));
    }
    if list.is_empty() {
        return Err(batch_error("(#100) param batch must be non-empty."));
    }
    list.iter().map(item).collect()
}

fn batch_error(message: &str) -> GraphError {
    GraphError { kind: "GraphBatchException", ..GraphError::new(100, message) }
}

fn item(value: &Value) -> Result<Item, GraphError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| match value.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let list = |name: &str| -> Vec<String> {
        match value.get(name) {
            Some(Value::String(text)) => text.split(',').map(|s| s.trim().to_owned()).collect(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            // The Java SDK writes an object of part names.
            Some(Value::Object(map)) => map
                .iter()
                .flat_map(|(key, value)| [Some(key.clone()), value.as_str().map(str::to_owned)])
                .flatten()
                .collect(),
            _ => Vec::new(),
        }
    };
    let method = match text("method").map(|method| method.to_ascii_uppercase()).as_deref() {
        None | Some("GET") => Method::Get,
        Some("POST" | "PUT") => Method::Post,
        Some("PATCH") => Method::Patch,
        Some("DELETE") => Method::Delete,
        Some(other) => return Err(batch_error(&format!("(#100) Unknown method {other} in a batch item"))),
    };
    let relative_url = text("relative_url")
        .or_else(|| text("relative_uri"))
        .ok_or_else(|| batch_error("(#100) A batch item needs relative_url"))?;
    let body = match value.get("body") {
        Some(Value::String(text)) if !text.is_empty() => Body::Urlencoded(text.clone()),
        Some(Value::Object(map)) => Body::Json(map.clone()),
        _ => Body::None,
    };
    let mut attached_files = list("attached_files");
    attached_files.extend(list("attachedFiles"));
    Ok(Item {
        method,
        relative_url,
        body,
        name: text("name").filter(|name| !name.is_empty()),
        omit_on_success: flag("omit_response_on_success"),
        depends_on: list("depends_on"),
        attached_files,
        token: text("access_token"),
        if_none_match: header(value, "if-none-match"),
    })
}

/// A header of an item, given as `"Name: value"` or as `{"name", "value"}`.
fn header(item: &Value, wanted: &str) -> Option<String> {
    item.get("headers")?.as_array()?.iter().find_map(|header| {
        let (name, value) = match header {
            Value::String(text) => text.split_once(':')?,
            _ => (header.get("name")?.as_str()?, header.get("value")?.as_str()?),
        };
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
    })
}

/// Where each name stands. A campaign's name can end up here by a quirk of one SDK, so the same name twice is only
/// an error when somebody refers to it; the first one counts.
fn names(items: &[Item]) -> Result<BTreeMap<String, usize>, GraphError> {
    let mut names = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(name) = &item.name {
            names.entry(name.clone()).or_insert(index);
        }
    }
    for item in items {
        for name in &item.depends_on {
            if !names.contains_key(name) {
                return Err(batch_error(&format!("(#100) depends_on names an unknown batch item: {name}")));
            }
        }
    }
    Ok(names)
}

/// Runs an item, those it needs first. `campaigns` are those under which the batch made an ad set: one batch may not
/// make two.
fn settle(
    world: &mut World,
    outer: &Call,
    items: &[Item],
    names: &BTreeMap<String, usize>,
    states: &mut [State],
    campaigns: &mut BTreeSet<String>,
    index: usize,
) {
    if !matches!(states[index], State::Waiting) {
        return;
    }
    states[index] = State::Running;
    let item = &items[index];
    let needed: Vec<usize> = names
        .iter()
        .filter(|(name, _)| item.depends_on.contains(name) || item.refers_to(name))
        .map(|(_, index)| *index)
        .collect();
    for needed in &needed {
        settle(world, outer, items, names, states, campaigns, *needed);
    }
    let failed = needed.iter().find(|needed| match &states[**needed] {
        State::Done(answer) => !answer.status.is_success(),
        // Still running: the items wait for each other in a circle.
        State::Running | State::Waiting => true,
    });
    let answer = match failed {
        Some(failed) => {
            let name = items[*failed].name.clone().unwrap_or_default();
            refused(world, outer, &format!("(#100) Depends on the batch item {name}, which failed"))
        }
        None => match prepare(outer, item, names, states) {
            // The callback is asked after the lock is given back, when the items' answers are written already.
            Ok(call) if asks_a_callback(world, &call) => {
                let trace = Trace::next(world);
                let error = nodes::not_implemented(&call);
                answer::finish(world, outer, None, Err(error), &Usage::default(), &trace)
            }
            Ok(call) if new_ad_set_under(&call).is_some_and(|campaign| !campaigns.insert(campaign)) => {
                refused(world, outer, "(#100) Several ad sets of one campaign cannot be created in one batch")
            }
            Ok(call) => {
                let answer = answer::single(world, &call);
                let legacy = answer::is_legacy(world, &call);
                answer::conditional(answer, legacy, item.if_none_match.as_deref())
            }
            Err(error) => {
                let trace = Trace::next(world);
                answer::finish(world, outer, None, Err(error), &Usage::default(), &trace)
            }
        },
    };
    states[index] = State::Done(answer);
}

/// The campaign under which a call makes an ad set.
fn new_ad_set_under(call: &Call) -> Option<String> {
    let makes = call.method == Method::Post && matches!(&call.path[..], [_, edge] if edge == "adsets");
    call.params.text("campaign_id").filter(|_| makes)
}

/// Whether a call is `POST /{app}/subscriptions`.
fn asks_a_callback(world: &World, call: &Call) -> bool {
    matches!(&call.path[..], [app, edge] if edge == "subscriptions" && world.identity.apps.contains_key(app))
        && call.method == Method::Post
}

fn refused(world: &mut World, outer: &Call, message: &str) -> Answer {
    let trace = Trace::next(world);
    answer::finish(world, outer, None, Err(batch_error(message)), &Usage::default(), &trace)
}

/// The item as a call of its own, references resolved.
fn prepare(
    outer: &Call,
    item: &Item,
    names: &BTreeMap<String, usize>,
    states: &[State],
) -> Result<Call, GraphError> {
    let resolve = |text: &str| references(text, names, states);
    let url = item.relative_url.trim();
    // Absolute addresses are taken for what stands behind the host.
    let url =
        url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut params = Params::default();
    params.add_urlencoded(query.as_bytes());
    match &item.body {
        Body::None => {}
        Body::Urlencoded(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => params.0.extend(map),
            _ => params.add_urlencoded(text.as_bytes()),
        },
        Body::Json(map) => params.0.extend(map.clone()),
    }
    for value in params.0.values_mut() {
        *value = resolved(std::mem::take(value), &resolve)?;
    }
    if params.has("batch") {
        return Err(batch_error("(#100) A batch item cannot be a batch"));
    }
    let files: Vec<FilePart> =
        outer.files.iter().filter(|file| item.attached_files.contains(&file.part_name)).cloned().collect();
    let path = resolve(&percent_braces(path))?;
    let mut call = wire::from_target(item.method, &path, params, files);
    call.version = call.version.or_else(|| outer.version.clone());
    let own_token = call.token.is_some() || item.token.is_some();
    call.token = call.token.or_else(|| item.token.clone()).or_else(|| outer.token.clone());
    if !own_token {
        for name in ["appsecret_proof", "appsecret_time"] {
            if let (false, Some(value)) = (call.params.has(name), outer.params.0.get(name)) {
                call.params.0.insert(name.into(), value.clone());
            }
        }
    }
    call.base_url.clone_from(&outer.base_url);
    Ok(call)
}

/// References are found in plain text; a path may have them percent-encoded.
fn percent_braces(path: &str) -> String {
    [
        ("%7B", "{"),
        ("%7b", "{"),
        ("%7D", "}"),
        ("%7d", "}"),
        ("%3D", "="),
        ("%3d", "="),
        ("%3A", ":"),
        ("%3a", ":"),
        ("%24", "$"),
    ]
    .iter()
    .fold(path.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn resolved(
    value: Value,
    resolve: &impl Fn(&str) -> Result<String, GraphError>,
) -> Result<Value, GraphError> {
    Ok(match value {
        Value::String(text) => resolve(&text)?.into(),
        Value::Array(items) => {
            items.into_iter().map(|item| resolved(item, resolve)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| Ok((key, resolved(value, resolve)?)))
                .collect::<Result<_, GraphError>>()?,
        ),
        other => other,
    })
}

/// Replaces each `{result=name:$.path}`.
fn references(text: &str, names: &BTreeMap<String, usize>, states: &[State]) -> Result<String, GraphError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{result=") {
        let inner = &rest[start + "{result=".len()..];
        let Some(end) = inner.find('}') else { break };
        let reference = &inner[..end];
        let broken =
            |what: &str| batch_error(&format!("(#100) {what} in batch reference {{result={reference}}}"));
        let (name, path) = reference.split_once(':').ok_or_else(|| broken("Missing path"))?;
        let body = match names.get(name).map(|index| &states[*index]) {
            Some(State::Done(answer)) => &answer.body,
            _ => return Err(broken("Unknown name")),
        };
        let values = jsonpath::select(body, path).ok_or_else(|| broken("Unreadable path"))?;
        if values.is_empty() {
            return Err(broken("Nothing found"));
        }
        out.push_str(&rest[..start]);
        out.push_str(&jsonpath::text(&values));
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
