//! A Meta that answers what a test wants, and remembers every request. For what the sandbox, being faithful, would
//! not say: odd answers, and questions that must never be asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::support::Hold;

pub const APP_ID: &str = "1002003004005006";
pub const APP_SECRET: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// The moment at which the tests' clock starts.
pub const START: i64 = 1_795_514_400;
pub const TWO_HOURS: i64 = START + 7200;
pub const SIXTY_DAYS: i64 = START + 5_183_944;

/// Somebody who consents with the code `code-of-NAME`.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: &'static str,
    pub name: &'static str,
    pub kind: &'static str,
    pub business: Option<&'static str>,
    pub app_id: &'static str,
    pub scopes: Vec<&'static str>,
    pub declined: Vec<&'static str>,
    pub granular: Value,
    pub ad_accounts: Vec<Value>,
    pub pages: Vec<Value>,
    pub expires_in: Option<i64>,
    /// As `debug_token` says of the short token and of the long one.
    pub expires_at: (i64, i64),
    /// The code and subcode with which the token is dead.
    pub death: Option<(i64, i64)>,
    /// Assets answer as if they did not exist.
    pub hidden: bool,
    pub nonce: Option<String>,
}

pub const ADS: [&str; 5] =
    ["ads_management", "ads_read", "pages_read_engagement", "pages_show_list", "public_profile"];

impl Person {
    /// Grants everything the use case *ads* asks for, on one ad account and one Page.
    pub fn new(id: &'static str, name: &'static str) -> Self {
        Self {
            id,
            name,
            kind: "USER",
            business: None,
            app_id: APP_ID,
            scopes: ADS.to_vec(),
            declined: Vec::new(),
            granular: json!([]),
            ad_accounts: vec![ad_account("act_11")],
            pages: vec![json!({ "id": "21", "name": "Page 21", "tasks": ["ADVERTISE"] })],
            expires_in: Some(7200),
            expires_at: (TWO_HOURS, SIXTY_DAYS),
            death: None,
            hidden: false,
            nonce: None,
        }
    }

    pub fn short_token(&self) -> String {
        format!("EAAB-short-token-of-{}", self.name)
    }

    pub fn long_token(&self) -> String {
        format!("EAAB-long-token-of-{}", self.name)
    }

    pub fn code(&self) -> String {
        format!("code-of-{}", self.name)
    }
}

pub fn ad_account(id: &str) -> Value {
    json!({ "id": id, "name": format!("Account {id}"), "currency": "EUR", "account_status": 1 })
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub params: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub struct World {
    pub people: Vec<Person>,
    pub seen: Vec<Seen>,
    /// Answers everything with 503.
    pub down: bool,
    /// Answers wait for it.
    pub hold: Option<Hold>,
}

#[derive(Debug, Clone)]
pub struct Meta {
    pub url: Url,
    world: Arc<Mutex<World>>,
}

impl Meta {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, world }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Makes this person known, in place of one with the same name.
    pub fn meet(&self, person: Person) {
        let mut world = self.world();
        world.people.retain(|known| known.name != person.name);
        world.people.push(person);
    }

    /// From now on it takes what it is asked, and answers when it is let go.
    pub fn hold(&self) -> Hold {
        let hold = Hold::default();
        self.world().hold = Some(hold.clone());
        hold
    }

    pub fn requests(&self, path: &str) -> Vec<Seen> {
        self.world().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// The exchanges of a code.
    pub fn exchanges(&self) -> Vec<Seen> {
        self.requests("/oauth/access_token")
            .into_iter()
            .filter(|seen| seen.params.contains_key("code"))
            .collect()
    }
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    headers: header::HeaderMap,
    body: Bytes,
) -> Response {
    let mut params: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    params.extend(url::form_urlencoded::parse(&body).into_owned());
    let path = uri.path().strip_prefix("/v26.0").unwrap_or(uri.path()).to_owned();
    let hold = {
        let mut world = world.lock().unwrap();
        world.seen.push(Seen { method: method.to_string(), path: path.clone(), params: params.clone() });
        world.hold.clone()
    };
    if let Some(hold) = hold {
        hold.pass().await;
    }
    let world = world.lock().unwrap();
    if world.down {
        return (StatusCode::SERVICE_UNAVAILABLE, "down").into_response();
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let bearer = bearer.trim_start_matches("Bearer ");
    match reply(&world, &method, &path, &params, bearer) {
        Ok(value) => Json(value).into_response(),
        Err((code, subcode, message)) => {
            let mut error = json!({ "message": message, "type": "OAuthException", "code": code });
            if subcode != 0 {
                error["error_subcode"] = subcode.into();
            }
            (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
        }
    }
}

type Reply = Result<Value, (i64, i64, &'static str)>;

fn reply(
    world: &World,
    method: &Method,
    path: &str,
    params: &BTreeMap<String, String>,
    bearer: &str,
) -> Reply {
    let get = |name: &str| params.get(name).map_or("", String::as_str);
    let app_token = format!("{APP_ID}|{APP_SECRET}");
    match path {
        "/oauth/access_token" => return token(world, params),
        "/debug_token" => {
            assert_eq!(bearer, app_token, "debug_token is asked in the app's name");
            let found = world.people.iter().find_map(|person| {
                let input = get("input_token");
                let at = if input == person.short_token() { Some(person.expires_at.0) } else { None };
                let at = at.or_else(|| (input == person.long_token()).then_some(person.expires_at.1));
                at.map(|at| debug(person, at, input == person.long_token()))
            });
            return found.ok_or((190, 0, "Malformed access token"));
        }
        "/oauth/revoke" => return Ok(json!({ "success": true })),
        _ if path == format!("/{APP_ID}") && bearer == app_token => {
            return Ok(json!({ "id": APP_ID, "name": "Example Ads" }));
        }
        _ if *method == Method::DELETE && bearer == app_token => return Ok(json!({ "success": true })),
        _ => {}
    }
    let Some(person) = world.people.iter().find(|it| it.short_token() == bearer || it.long_token() == bearer)
    else {
        return Err((190, 0, "Invalid OAuth access token."));
    };
    assert!(params.contains_key("appsecret_proof"), "{path} is signed");
    let hidden = person.hidden;
    match path {
        "/me" => Ok(json!({ "id": person.id, "name": person.name, "client_business_id": person.business })),
        "/me/permissions" => {
            let row =
                |status: &'static str| move |name: &&str| json!({ "permission": name, "status": status });
            let granted = person.scopes.iter().map(row("granted"));
            Ok(
                json!({ "data": granted.chain(person.declined.iter().map(row("declined"))).collect::<Vec<_>>() }),
            )
        }
        "/me/adaccounts" => Ok(json!({ "data": person.ad_accounts })),
        "/me/accounts" => Ok(json!({ "data": person.pages })),
        "/me/businesses" => Ok(json!({ "data": [] })),
        _ if path == format!("/{}/assigned_ad_accounts", person.id) => {
            Ok(json!({ "data": person.ad_accounts }))
        }
        _ if path == format!("/{}/assigned_pages", person.id) => Ok(json!({ "data": person.pages })),
        _ if path.strip_prefix('/') == person.business => {
            Ok(json!({ "id": person.business, "name": "Portfolio" }))
        }
        _ if hidden => Err((100, 33, "Unsupported get request. Object with ID does not exist")),
        _ => person
            .ad_accounts
            .iter()
            .chain(&person.pages)
            .find(|asset| asset["id"].as_str() == path.strip_prefix('/'))
            .cloned()
            .ok_or((100, 33, "Unsupported get request. Object with ID does not exist")),
    }
}

fn token(world: &World, params: &BTreeMap<String, String>) -> Reply {
    let get = |name: &str| params.get(name).map_or("", String::as_str);
    if get("client_id") != APP_ID {
        return Err((
            101,
            0,
            "Error validating application. Cannot get application info due to a system error.",
        ));
    }
    if get("client_secret") != APP_SECRET {
        return Err((1, 0, "Error validating client secret."));
    }
    if params.contains_key("code_verifier") {
        return Err((100, 0, "code_verifier param is provided without a code_challenge"));
    }
    match get("grant_type") {
        "client_credentials" => {
            return Ok(json!({ "access_token": format!("{APP_ID}|made-by-meta"), "token_type": "bearer" }));
        }
        "fb_exchange_token" => {
            let person = world.people.iter().find(|it| it.short_token() == get("fb_exchange_token"));
            return person
                .map(|it| json!({ "access_token": it.long_token(), "token_type": "bearer" }))
                .ok_or((190, 0, "Malformed access token"));
        }
        _ => {}
    }
    let person = world.people.iter().find(|it| it.code() == get("code"));
    let person = person.ok_or((100, 0, "Invalid verification code format."))?;
    let mut answer = json!({ "access_token": person.short_token(), "token_type": "bearer" });
    if let Some(seconds) = person.expires_in {
        answer["expires_in"] = seconds.into();
    }
    Ok(answer)
}

fn debug(person: &Person, expires_at: i64, long: bool) -> Value {
    let mut data = json!({
        "app_id": person.app_id, "application": "Example Ads", "type": person.kind, "is_valid": true,
        "expires_at": expires_at, "data_access_expires_at": 0, "scopes": person.scopes,
        "granular_scopes": person.granular, "user_id": person.id,
    });
    if long {
        data["issued_at"] = START.into();
    }
    if let Some(nonce) = &person.nonce {
        data["metadata"] = json!({ "auth_nonce": nonce });
    }
    if let Some((code, subcode)) = person.death {
        data["is_valid"] = false.into();
        data["error"] =
            json!({ "code": code, "subcode": subcode, "message": "Error validating access token" });
    }
    json!({ "data": data })
}
