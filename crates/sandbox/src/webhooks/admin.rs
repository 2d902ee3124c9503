//! What the admin path says and does about leads and webhooks.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /_sandbox/forms/{id}/leads` | sends the form in |
//! | `GET /_sandbox/webhooks` | counts, and what happened last |
//! | `POST /_sandbox/webhooks` | see [`emit`] |
//! | `GET /_sandbox/events` | what came through the Conversions API; `?lead_id=` of one lead |

use std::collections::HashMap;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::emit;
use crate::{
    nodes,
    protocol::Params,
    scenarios::{Admin, Input, Refused},
    world::{
        Submission, World,
        leads::{Answer, Consent, Form, Platform, sample},
        objects::ObjectKind,
    },
};

/// Leads that one call can make.
const AT_ONCE: u64 = 100_000;

pub fn router() -> Router<Admin> {
    Router::new()
        .route("/_sandbox/forms/{id}/leads", post(submit))
        .route("/_sandbox/events", get(events))
        .route("/_sandbox/webhooks", get(show).post(emit::emit))
}

async fn show(State(admin): State<Admin>) -> Json<Value> {
    let world = admin.read();
    let last: Vec<_> = world.webhooks.queue.log().collect();
    Json(json!({ "counts": world.webhooks.queue.counts(), "last": last }))
}

/// How many events are told at once.
const TOLD: usize = 1_000;

async fn events(State(admin): State<Admin>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let world = admin.read();
    let lead: Option<u64> = query.get("lead_id").and_then(|id| id.parse().ok());
    let data: Vec<Value> = world
        .events
        .iter()
        .filter(|received| lead.is_none() || received.lead == lead)
        .take(TOLD)
        .map(|received| {
            json!({
                "dataset": received.dataset,
                "received": nodes::time(received.at),
                "lead_id": received.lead.map(|id| id.to_string()),
                "before_its_lead": received.before_its_lead,
                "test_event_code": received.test_event_code,
                "event": received.event,
            })
        })
        .collect();
    Json(json!({ "count": world.events.count, "data": data }))
}

async fn submit(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    let mut world = admin.write();
    let form = world.leads.form(&id).cloned().ok_or_else(|| no_form(&id))?;
    let wanted = Wanted::read(&world, &form, &input.params)?;
    let ids: Vec<String> = (0..wanted.count).map(|_| wanted.send(&mut world, &form).to_string()).collect();
    Ok(input.answer("forms", json!({ "ids": ids })))
}

pub fn no_form(id: &str) -> Refused {
    Refused(StatusCode::NOT_FOUND, format!("there is no lead form {id}"))
}

/// What `POST /_sandbox/forms/{id}/leads` asks for.
struct Wanted {
    count: u64,
    /// Answers by question. Without any all are made up.
    answers: Option<Vec<Answer>>,
    consents: Option<Vec<Consent>>,
    ad: Option<u64>,
    platform: Option<Platform>,
    created: Option<i64>,
    silent: bool,
}

impl Wanted {
    fn read(world: &World, form: &Form, params: &Params) -> Result<Self, Refused> {
        let bad = |why: &str| Refused(StatusCode::BAD_REQUEST, why.to_owned());
        let count = match params.text("count") {
            None => 1,
            Some(text) => text
                .parse()
                .ok()
                .filter(|count| (1..=AT_ONCE).contains(count))
                .ok_or_else(|| bad("count is a number from 1 to 100000"))?,
        };
        let object = |name: &str| match params.json(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(bad(&format!("{name} is an object"))),
        };
        let flag = |name: &str| match params.text(name) {
            None => Ok(None),
            Some(_) => params.bool(name).map(Some).ok_or_else(|| bad(&format!("{name} is true or false"))),
        };
        let created = match params.text("created_time") {
            None => None,
            Some(text) => Some(nodes::unix_time(&text).ok_or_else(|| bad("created_time is a time"))?),
        };
        let platform = match params.text("platform").as_deref() {
            None => None,
            Some("fb") => Some(Platform::Facebook),
            Some("ig") => Some(Platform::Instagram),
            Some(_) => return Err(bad("platform is fb or ig")),
        };
        let organic = flag("is_organic")?;
        let ad = match params.text("ad_id") {
            None if organic == Some(false) => Some(
                *nodes::ads_with_form(world, &form.id)
                    .first()
                    .ok_or_else(|| bad("no ad uses this form: say which by ad_id"))?,
            ),
            None => None,
            Some(_) if organic == Some(true) => return Err(bad("an organic lead has no ad_id")),
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|id| world.objects.of_kind(*id, ObjectKind::Ad).is_some())
                    .ok_or_else(|| bad("ad_id is the id of an ad of this sandbox"))?,
            ),
        };
        Ok(Self {
            count,
            answers: object("answers")?.map(|given| answers(&given)),
            consents: object("consents")?.map(|given| consents(&given)),
            ad,
            platform,
            created,
            silent: flag("silent")?.unwrap_or(false),
        })
    }

    fn send(&self, world: &mut World, form: &Form) -> u64 {
        let number = world.draw();
        let platform = if number % 3 == 2 { Platform::Instagram } else { Platform::Facebook };
        world.submit(Submission {
            form: form.id.clone(),
            answers: self.answers.clone().unwrap_or_else(|| sample::answers(form, number)),
            consents: self.consents.clone().unwrap_or_else(|| sample::consents(form, number)),
            ad: self.ad,
            platform: self.platform.unwrap_or(platform),
            created: self.created,
            test: false,
            silent: self.silent,
        })
    }
}

fn answers(given: &Map<String, Value>) -> Vec<Answer> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    given
        .iter()
        .map(|(name, value)| Answer {
            name: name.clone(),
            values: match value {
                Value::Array(items) => items.iter().map(text).collect(),
                Value::Null => Vec::new(),
                one => vec![text(one)],
            },
        })
        .collect()
}

fn consents(given: &Map<String, Value>) -> Vec<Consent> {
    given
        .iter()
        .map(|(key, value)| Consent { key: key.clone(), checked: *value == true || *value == "1" })
        .collect()
}
