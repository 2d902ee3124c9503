use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use url::Url;

use super::{
    address::Refusal,
    claim::{open, scope},
    sign::Secrets,
    state::{Cause, State},
    view::Delivery,
};
use crate::{
    audit::Actor,
    id::{AccountId, DeliveryId, EndpointId},
    service::{
        App, Error, Fault, Result, Who, accounts,
        api_keys::Reach,
        events::{self, Kind, NewEvent, Pattern},
    },
    store::{
        Json, Page, Tx, audit, deliveries as deliveries_table, endpoints as table, events as events_table,
    },
    time::Timestamp,
};

/// Where events are delivered.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Endpoint {
    pub id: EndpointId,
    /// Events of this account; null: of all accounts.
    pub account_id: Option<AccountId>,
    pub url: String,
    pub description: String,
    /// Types of events, or families of them (`lead.*`); empty: all.
    pub types: Vec<Pattern>,
    /// Whether it gets events of test leads too.
    pub test_leads: bool,
    #[serde(flatten)]
    pub state: State,
    /// Since when nothing has arrived that should have.
    pub failing_since: Option<Timestamp>,
    /// Until when it is left alone, since it asked for it or did not answer in time.
    pub paused_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<table::Stored> for Endpoint {
    fn from(row: table::Stored) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            url: row.url,
            description: row.description,
            types: row.types.0,
            test_leads: row.test_leads,
            state: row.state.0,
            failing_since: row.failing_since,
            paused_until: row.paused_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What an endpoint is made from.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    pub account_id: Option<AccountId>,
    pub url: String,
    pub description: String,
    pub types: Vec<Pattern>,
    pub test_leads: bool,
}

/// What is to be another; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub url: Option<String>,
    pub description: Option<String>,
    pub types: Option<Vec<Pattern>>,
    pub test_leads: Option<bool>,
    pub enabled: Option<bool>,
}

/// A signing secret, shown this once.
#[derive(Debug)]
pub struct Secret {
    pub secret: SecretString,
    /// Until when the ones before it sign too.
    pub previous_until: Option<Timestamp>,
}

/// Most endpoints of one account; and most for all accounts.
const ENDPOINTS_MAX: i64 = 20;
const URL_MAX: usize = 2000;
const DESCRIPTION_MAX: usize = 200;
const TYPES_MAX: usize = 30;
/// How long a secret signs after it was replaced, in seconds: a day.
const OVERLAP_SECONDS: i64 = 24 * 3600;

const NOT_FOUND: Error = Error::NotFound { what: "the endpoint" };

/// Makes an endpoint. Its secret is answered this once.
pub async fn create(
    app: &App,
    actor: &Actor,
    reach: &Reach,
    new: NewEndpoint,
) -> Result<(Endpoint, SecretString)> {
    let account_id = reach.narrow(new.account_id)?;
    if let Some(id) = &account_id {
        accounts::get(app, id).await?;
    }
    let (url, faults) = checked(app, Some(&new.url), Some(&new.description), Some(&new.types));
    let Some(url) = url.filter(|_| faults.is_empty()) else { return Err(Error::Invalid(faults)) };
    let now = app.clock.now();
    let secrets = Secrets::new();
    let mut row = table::Stored {
        id: EndpointId::new(),
        account_id,
        url,
        description: new.description.trim().to_owned(),
        types: Json(new.types),
        test_leads: new.test_leads,
        state: Json(State::Enabled),
        secrets_sealed: Vec::new(),
        failing_since: None,
        paused_until: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.db.begin().await?;
    if table::count(&mut tx, row.account_id.as_ref()).await? >= ENDPOINTS_MAX {
        return Err(Error::Conflict {
            message: format!("there are {ENDPOINTS_MAX} endpoints already, the most there may be"),
            next_step: "delete one that is no longer needed, or change it".to_owned(),
        });
    }
    row.secrets_sealed = seal(app, &mut tx, &row, &secrets, now).await?;
    table::insert(&mut tx, &row).await?;
    let detail = json!({ "account_id": row.account_id, "host": host(&row.url) });
    audit::insert(&mut tx, actor, "endpoint.created", row.id.as_str(), detail, now).await?;
    tx.commit().await?;
    Ok((row.into(), secrets.newest()))
}

pub async fn get(app: &App, reach: &Reach, id: &EndpointId) -> Result<Endpoint> {
    let row = table::by_id(&app.db, id).await?.filter(|row| reach.has(row.account_id.as_ref()));
    row.map(Endpoint::from).ok_or(NOT_FOUND)
}

/// The newest first; of one account, or of all and for all.
pub async fn list(
    app: &App,
    reach: &Reach,
    account: Option<AccountId>,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Endpoint>> {
    let account = reach.narrow(account)?;
    let page = table::list(&app.db, account.as_ref(), after, limit.clamp(1, 100)).await?;
    Ok(Page { items: page.items.into_iter().map(Endpoint::from).collect(), next: page.next })
}

/// Changes an endpoint. Enabled again, what was held goes on its way.
pub async fn change(
    app: &App,
    actor: &Actor,
    reach: &Reach,
    id: &EndpointId,
    change: Change,
) -> Result<Endpoint> {
    let (url, faults) =
        checked(app, change.url.as_deref(), change.description.as_deref(), change.types.as_deref());
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut row = own(&mut tx, reach, id).await?;
    let was_enabled = row.state.0.is_enabled();
    if let Some(url) = url {
        row.url = url;
        // What the other address asked for is over.
        (row.failing_since, row.paused_until) = (None, None);
    }
    if let Some(description) = change.description {
        description.trim().clone_into(&mut row.description);
    }
    if let Some(types) = change.types {
        row.types = Json(types);
    }
    if let Some(test_leads) = change.test_leads {
        row.test_leads = test_leads;
    }
    match change.enabled {
        Some(true) if !row.state.0.is_enabled() => {
            row.state = Json(State::Enabled);
            (row.failing_since, row.paused_until) = (None, None);
            deliveries_table::release(&mut tx, id, now).await?;
        }
        Some(false) if row.state.0.is_enabled() => {
            row.state = Json(State::Disabled { cause: Cause::Asked, at: now });
            deliveries_table::hold(&mut tx, id).await?;
        }
        _ => {}
    }
    row.updated_at = now;
    table::put(&mut tx, &row).await?;
    if was_enabled && !row.state.0.is_enabled() {
        tell_disabled(&mut tx, &row, now).await?;
    }
    let detail = json!({ "host": host(&row.url), "status": row.state.0.name() });
    audit::insert(&mut tx, actor, "endpoint.changed", id.as_str(), detail, now).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    Ok(row.into())
}

/// Tells the other endpoints, and who reads events, that this one gets nothing any more. The row must be written before:
/// only what is enabled is told.
pub(super) async fn tell_disabled(tx: &mut Tx, row: &table::Stored, now: Timestamp) -> Result<()> {
    let State::Disabled { cause, at } = row.state.0 else { return Ok(()) };
    let message = match cause {
        Cause::Asked => "somebody disabled it",
        Cause::Gone => "it answered 410 Gone",
        Cause::Failing => "nothing arrived there for five days",
    };
    let data = json!({
        "endpoint_id": row.id, "host": host(&row.url), "cause": cause, "at": at, "failing_since": row.failing_since,
        "message": message, "who": Who::Partner,
        "next_step": "mend it, then enable it (PATCH with `\"enabled\": true`): what was held goes on its way; replay \
                      what happened meanwhile",
    });
    let event = NewEvent::new(row.account_id.clone(), Kind::EndpointDisabled, row.id.as_str(), data);
    events::record(tx, event, now).await
}

/// Tells who wants to know that a delivery was given up. What only tells of endpoints is not told of again, or two that do
/// not answer would tell of each other for ever.
pub(super) async fn tell_dead(
    tx: &mut Tx,
    row: &table::Stored,
    dead: &Dead<'_>,
    now: Timestamp,
) -> Result<()> {
    let Dead { delivery_id, event, attempts, error } = dead;
    if matches!(event.kind, Kind::EndpointDisabled | Kind::EndpointDeliveryDead | Kind::EndpointTest) {
        return Ok(());
    }
    let data = json!({
        "endpoint_id": row.id, "host": host(&row.url), "delivery_id": delivery_id, "event_id": event.id,
        "event_type": event.kind, "event_seq": event.seq, "attempts": attempts,
        "message": format!("after {attempts} attempts it is not tried again; the last time {error}"), "who": Who::Partner,
        "next_step": "mend the endpoint, then replay the delivery, or all dead ones of a time",
    });
    let event = NewEvent::new(row.account_id.clone(), Kind::EndpointDeliveryDead, row.id.as_str(), data);
    events::record(tx, event, now).await
}

/// A delivery that was given up.
#[derive(Debug)]
pub(super) struct Dead<'a> {
    pub delivery_id: DeliveryId,
    pub event: &'a events_table::Stored,
    pub attempts: i64,
    pub error: String,
}

/// Deletes an endpoint with its deliveries.
pub async fn delete(app: &App, actor: &Actor, reach: &Reach, id: &EndpointId) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let row = own(&mut tx, reach, id).await?;
    table::delete(&mut tx, id).await?;
    let detail = json!({ "account_id": row.account_id, "host": host(&row.url) });
    audit::insert(&mut tx, actor, "endpoint.deleted", id.as_str(), detail, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives an endpoint a new secret. The one before signs beside it for a day.
pub async fn rotate_secret(app: &App, actor: &Actor, reach: &Reach, id: &EndpointId) -> Result<Secret> {
    let now = app.clock.now();
    let end = now.plus_seconds(OVERLAP_SECONDS);
    let mut tx = app.db.begin().await?;
    let row = own(&mut tx, reach, id).await?;
    let mut secrets = open(app, &row).await?;
    secrets.rotate(now, end);
    let sealed = seal(app, &mut tx, &row, &secrets, now).await?;
    table::put_secrets(&mut tx, id, sealed).await?;
    audit::insert(&mut tx, actor, "endpoint.secret_rotated", id.as_str(), json!({}), now).await?;
    tx.commit().await?;
    Ok(Secret { secret: secrets.newest(), previous_until: Some(end) })
}

/// Sends an `endpoint.test` event to an endpoint, whatever types it takes.
pub async fn test(app: &App, actor: &Actor, reach: &Reach, id: &EndpointId) -> Result<Delivery> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let row = own(&mut tx, reach, id).await?;
    must_be_enabled(&row)?;
    let event = events::record_test(&mut tx, &row, json!({ "endpoint_id": row.id }), now).await?;
    let delivery = deliveries_table::insert(&mut tx, id, &event, now).await?;
    audit::insert(&mut tx, actor, "endpoint.tested", id.as_str(), json!({}), now).await?;
    let stored = deliveries_table::by_id(&mut tx, &delivery).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    stored.map(Delivery::from).ok_or(NOT_FOUND)
}

/// The endpoint, held until the transaction ends, when the caller reaches it.
pub(super) async fn own(tx: &mut Tx, reach: &Reach, id: &EndpointId) -> Result<table::Stored> {
    let row = table::by_id_for_update(tx, id).await?;
    row.filter(|row| reach.has(row.account_id.as_ref())).ok_or(NOT_FOUND)
}

pub(super) fn must_be_enabled(row: &table::Stored) -> Result<()> {
    if row.state.0.is_enabled() {
        return Ok(());
    }
    Err(Error::Conflict {
        message: "the endpoint is disabled, so nothing is sent to it".to_owned(),
        next_step: "enable it (PATCH with `\"enabled\": true`): what was held then goes on its way"
            .to_owned(),
    })
}

async fn seal(
    app: &App,
    tx: &mut Tx,
    row: &table::Stored,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Vec<u8>> {
    let scope = scope(row);
    let place = table::secrets_place(&scope, row.id.as_str());
    Ok(app.vault.seal(tx, &place, &secrets.into(), now).await?)
}

/// A path may hold a secret, so the audit log has the host alone.
fn host(url: &str) -> Option<String> {
    url.parse::<Url>().ok()?.host_str().map(str::to_owned)
}

/// The URL as it is kept, and what is wrong with the input.
fn checked(
    app: &App,
    url: Option<&str>,
    description: Option<&str>,
    types: Option<&[Pattern]>,
) -> (Option<String>, Vec<Fault>) {
    let mut faults = Vec::new();
    let url = url.and_then(|text| match address(app, text.trim()) {
        Ok(url) => Some(url),
        Err(fault) => {
            faults.push(fault);
            None
        }
    });
    if description.is_some_and(|text| text.trim().chars().count() > DESCRIPTION_MAX) {
        let fix = format!("at most {DESCRIPTION_MAX} characters");
        faults.push(Fault::new("description", "it is too long", fix));
    }
    if types.is_some_and(|types| types.len() > TYPES_MAX) {
        let fix = format!("at most {TYPES_MAX}; a family such as lead.* stands for all of its types");
        faults.push(Fault::new("types", "there are too many", fix));
    }
    (url, faults)
}

fn address(app: &App, text: &str) -> std::result::Result<String, Fault> {
    let fault = |message: String, fix: &str| Fault::new("url", message, fix);
    if text.len() > URL_MAX {
        return Err(fault("it is too long".to_owned(), "at most 2000 characters"));
    }
    let mut url: Url =
        text.parse().map_err(|error| fault(format!("it is no URL: {error}"), "https://host/path"))?;
    url.set_fragment(None);
    match app.sender.guard().way(&url) {
        Ok(_) => Ok(url.into()),
        Err(refusal) => Err(fault(
            format!("nothing is sent there: {refusal}"),
            match refusal {
                Refusal::UserInfo => "leave user name and password out; deliveries are signed",
                _ => {
                    "an https address on the public internet, port 443 or 8443; what is internal, plain or elsewhere the \
                     operator allows with --delivery-allow"
                }
            },
        )),
    }
}
