//! The admin path, `/_sandbox`: for people (a page of plain forms) and for programs (JSON). It is for this machine:
//! it is answered under local names only and to no other site's pages.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /_sandbox` | the page |
//! | `GET /_sandbox/facts` | what was printed at start |
//! | `GET /_sandbox/scenarios`, `DELETE` | all scenarios; all off |
//! | `GET`, `PUT`, `DELETE /_sandbox/scenarios/{name}` | one; on, with `{"value": "463"}` where it has one; off |
//! | `GET`, `POST /_sandbox/clock` | the virtual clock; `{"advance_seconds": 60}`, `{"freeze": true}`, `{"now": "2026-11-24T00:00:00Z"}` |
//! | `POST /_sandbox/apps/{id}/redirect_uris` | registers `{"redirect_uri": "https://..."}` |
//! | `GET /_sandbox/apps/{id}/grants` | who granted the app what |
//! | `POST /_sandbox/apps/{id}/remove` | the person or business `{"user_id": "..."}` removes the app at Facebook; the answer holds the `signed_request` that Meta posts to the app's deauthorize callback |
//! | `POST /_sandbox/reset` | the world as it was at start |

use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::Url;

use super::{CATALOGUE, Described, Scenario, page};
use crate::{
    clock::Clock,
    login, pages,
    protocol::Params,
    visitor, webhooks,
    world::{SharedWorld, World},
};

/// The clock moves at most this far at once: a hundred years.
const ADVANCE_MAX_SECONDS: i64 = 100 * 366 * 86_400;

/// What the admin path works on.
#[derive(Clone)]
pub struct Admin {
    pub world: SharedWorld,
    /// What a client needs to begin, as printed at start.
    pub facts: Arc<Value>,
    /// Makes the world as it was at start.
    pub rebuild: Arc<dyn Fn() -> World + Send + Sync>,
}

impl Admin {
    pub fn read(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn admin_router(admin: Admin) -> Router {
    Router::new()
        .route("/_sandbox", get(show))
        .route("/_sandbox/facts", get(facts))
        .route("/_sandbox/scenarios", get(list).delete(clear_all).post(clear_all))
        .route("/_sandbox/scenarios/{name}", get(one).put(switch_on).delete(switch_off).post(switch))
        .route("/_sandbox/clock", get(clock).post(move_clock))
        .route("/_sandbox/apps/{id}/redirect_uris", post(register))
        .route("/_sandbox/apps/{id}/grants", get(grants))
        .route("/_sandbox/apps/{id}/remove", post(remove))
        .route("/_sandbox/reset", post(reset))
        .merge(webhooks::router())
        .merge(visitor::router())
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(middleware::from_fn(pages::local_only))
        .with_state(admin)
}

/// A request that cannot be carried out, in words for whoever made it.
pub struct Refused(pub StatusCode, pub String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": { "message": self.1 } }))).into_response()
    }
}

/// A body that came as JSON or from a form; a form is answered with the page.
pub struct Input {
    pub params: Params,
    pub from_form: bool,
}

impl Input {
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Refused> {
        let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        // `curl -d '{...}'` calls its JSON a form.
        let looks_json = body.trim_ascii_start().starts_with(b"{");
        let from_form = media.starts_with("application/x-www-form-urlencoded") && !looks_json;
        let bad = |why: String| Refused(StatusCode::BAD_REQUEST, why);
        let fields: Map<String, Value> = if from_form {
            serde_urlencoded::from_bytes::<Vec<(String, String)>>(body)
                .map_err(|e| bad(format!("the form cannot be read: {e}")))?
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect()
        } else if body.is_empty() {
            Map::new()
        } else {
            serde_json::from_slice(body).map_err(|e| bad(format!("the body is no JSON object: {e}")))?
        };
        Ok(Self { params: Params(fields), from_form })
    }

    pub fn answer(&self, anchor: &str, body: Value) -> Response {
        if self.from_form {
            Redirect::to(&format!("/_sandbox#{anchor}")).into_response()
        } else {
            Json(body).into_response()
        }
    }
}

async fn show(State(admin): State<Admin>) -> Response {
    let world = admin.read();
    pages::page(StatusCode::OK, &page::Page::new(&world, &admin.facts))
}

async fn facts(State(admin): State<Admin>) -> Json<Value> {
    Json(Value::clone(&admin.facts))
}

async fn list(State(admin): State<Admin>) -> Json<Value> {
    let world = admin.read();
    Json(json!({ "data": CATALOGUE.iter().map(|row| described(&world, row)).collect::<Vec<_>>() }))
}

async fn clear_all(State(admin): State<Admin>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    let mut world = admin.write();
    for row in CATALOGUE {
        world.scenarios.clear(row.name);
    }
    Ok(input.answer("scenarios", json!({ "success": true })))
}

async fn one(State(admin): State<Admin>, Path(name): Path<String>) -> Result<Json<Value>, Refused> {
    Ok(Json(described(&admin.read(), row(&name)?)))
}

async fn switch_on(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let row = row(&name)?;
    let input = Input::read(&headers, &body)?;
    set(&admin, row, &input.params)?;
    Ok(Json(described(&admin.read(), row)))
}

async fn switch_off(State(admin): State<Admin>, Path(name): Path<String>) -> Result<Json<Value>, Refused> {
    let row = row(&name)?;
    let mut world = admin.write();
    world.scenarios.clear(row.name);
    Ok(Json(described(&world, row)))
}

/// The page's form: `action` is `on` or `off`.
async fn switch(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let row = row(&name)?;
    let input = Input::read(&headers, &body)?;
    if input.params.text("action").as_deref() == Some("off") {
        admin.write().scenarios.clear(row.name);
    } else if let Err(Refused(status, why)) = set(&admin, row, &input.params) {
        if !input.from_form {
            return Err(Refused(status, why));
        }
        let world = admin.read();
        let given = input.params.text("value").unwrap_or_default();
        let page = page::Page::new(&world, &admin.facts).with_problem(row.name, why, given);
        return Ok(pages::page(status, &page));
    }
    Ok(input.answer(row.name, described(&admin.read(), row)))
}

fn set(admin: &Admin, row: &Described, params: &Params) -> Result<(), Refused> {
    let value = match params.list("value") {
        Some(items) => items.join(","),
        None => String::new(),
    };
    let text = if value.is_empty() { row.name.to_owned() } else { format!("{}={value}", row.name) };
    let scenario: Scenario = text.parse().map_err(|e| Refused(StatusCode::BAD_REQUEST, format!("{e}")))?;
    admin.write().scenarios.set(scenario);
    Ok(())
}

fn row(name: &str) -> Result<&'static Described, Refused> {
    CATALOGUE
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("there is no scenario named {name:?}")))
}

fn described(world: &World, row: &Described) -> Value {
    let on = world.scenarios.get(row.name);
    let mut answer = json!({ "name": row.name, "on": on.is_some(), "about": row.about });
    if let Some((wanted, example)) = row.value {
        answer["value"] = on.and_then(Scenario::value).into();
        answer["takes"] = json!({ "what": wanted, "example": example });
    }
    answer
}

async fn clock(State(admin): State<Admin>) -> Json<Value> {
    Json(told(&admin.read().clock))
}

fn told(clock: &Clock) -> Value {
    json!({
        "now": clock.now().to_string(),
        "unix": clock.unix(),
        "frozen": matches!(clock, Clock::Frozen { .. }),
    })
}

async fn move_clock(
    State(admin): State<Admin>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    let bad = |why: &str| Refused(StatusCode::BAD_REQUEST, why.to_owned());
    let (now, freeze, advance) =
        (input.params.text("now"), input.params.text("freeze"), input.params.text("advance_seconds"));
    if now.is_none() && freeze.is_none() && advance.is_none() {
        return Err(bad("say advance_seconds, freeze or now"));
    }
    let now: Option<Timestamp> = now
        .map(|text| text.parse().map_err(|_| bad("now is a time such as 2026-11-24T00:00:00Z")))
        .transpose()?;
    let freeze = match freeze {
        None => None,
        Some(_) => Some(input.params.bool("freeze").ok_or_else(|| bad("freeze is true or false"))?),
    };
    let advance = match advance {
        None => 0,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|seconds| seconds.abs() <= ADVANCE_MAX_SECONDS)
            .ok_or_else(|| bad("advance_seconds is a whole number, at most a hundred years"))?,
    };
    let mut world = admin.write();
    let frozen = freeze.unwrap_or(matches!(world.clock, Clock::Frozen { .. }));
    let at = now
        .unwrap_or_else(|| world.clock.now())
        .checked_add(SignedDuration::from_secs(advance))
        .map_err(|_| bad("the clock cannot show that time"))?;
    world.clock = if frozen {
        Clock::Frozen { at }
    } else {
        Clock::Running { offset: at.duration_since(Timestamp::now()) }
    };
    Ok(input.answer("clock", told(&world.clock)))
}

async fn register(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    let uri = input
        .params
        .text("redirect_uri")
        .filter(|uri| Url::parse(uri).is_ok_and(|url| url.fragment().is_none()))
        .ok_or_else(|| {
            Refused(StatusCode::BAD_REQUEST, "redirect_uri is an absolute URI without a fragment".into())
        })?;
    let mut world = admin.write();
    let app = world.identity.apps.get_mut(&id).ok_or_else(|| no_app(&id))?;
    if !app.redirect_uris.contains(&uri) {
        app.redirect_uris.push(uri);
    }
    let uris = app.redirect_uris.clone();
    Ok(input.answer("apps", json!({ "redirect_uris": uris })))
}

async fn grants(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Json<Value>, Refused> {
    let world = admin.read();
    if !world.identity.apps.contains_key(&id) {
        return Err(no_app(&id));
    }
    let rows: Vec<Value> = page::grants(&world)
        .into_iter()
        .filter(|row| row.app_id == id)
        .map(|row| {
            json!({ "user_id": row.subject, "name": row.name, "granted": row.granted, "declined": row.declined })
        })
        .collect();
    Ok(Json(json!({ "data": rows })))
}

async fn remove(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    let user_id = input
        .params
        .text("user_id")
        .ok_or_else(|| Refused(StatusCode::BAD_REQUEST, "say whose: user_id".into()))?;
    let mut world = admin.write();
    let secret = world.identity.apps.get(&id).ok_or_else(|| no_app(&id))?.secret.clone();
    if world.identity.grant(&id, &user_id).is_none() {
        return Err(Refused(StatusCode::NOT_FOUND, format!("{user_id} has not granted app {id} anything")));
    }
    world.identity.deauthorize(&id, &user_id);
    let signed = login::signed_request(&secret, &user_id, world.clock.unix());
    Ok(input.answer("grants", json!({ "success": true, "signed_request": signed })))
}

fn no_app(id: &str) -> Refused {
    Refused(StatusCode::NOT_FOUND, format!("there is no app {id}"))
}

async fn reset(State(admin): State<Admin>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let input = Input::read(&headers, &body)?;
    // Built before the lock is taken: a filled world takes its time.
    let mut fresh = (admin.rebuild)();
    let mut world = admin.write();
    fresh.webhooks.succeed(&world.webhooks);
    *world = fresh;
    drop(world);
    Ok(input.answer("top", json!({ "success": true })))
}
