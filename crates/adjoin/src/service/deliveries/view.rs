use std::collections::HashMap;

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::state::Status;
use crate::{
    id::{AccountId, AttemptId, DeliveryId, EndpointId, EventId},
    service::{App, Error, Result, api_keys::Reach, events::Kind},
    store::{Page, deliveries as table, endpoints},
    time::Timestamp,
    vault::{self, Scope},
};

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Delivery {
    pub id: DeliveryId,
    pub endpoint_id: EndpointId,
    pub event_id: EventId,
    /// The event's place in the order of all.
    pub event_seq: i64,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub account_id: Option<AccountId>,
    /// The lead, connection or ad object it is about.
    pub subject: String,
    pub status: Status,
    /// Since it was written, or last replayed.
    pub attempts: i64,
    /// When it is tried next, while it is pending.
    pub due_at: Option<Timestamp>,
    /// HTTP status of the endpoint's last answer; null when it gave none.
    pub last_status: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When the event happened.
    pub event_at: Timestamp,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
}

impl From<table::Stored> for Delivery {
    fn from(row: table::Stored) -> Self {
        Self {
            id: row.id,
            endpoint_id: row.endpoint_id,
            event_id: row.event_id,
            event_seq: row.event_seq,
            kind: row.kind,
            account_id: row.account_id,
            subject: row.subject,
            due_at: Some(row.due_at).filter(|_| row.status == Status::Pending),
            status: row.status,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
            event_at: row.event_at,
            created_at: row.created_at,
            delivered_at: row.delivered_at,
        }
    }
}

/// One try.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Attempt {
    pub id: AttemptId,
    pub at: Timestamp,
    /// HTTP status; null when there was no answer.
    pub status: Option<i64>,
    pub error: Option<String>,
    /// The first KiB of an answer that was no success, as long as the event's lead is not erased. Null for a key that is
    /// bound to an account: the address may be one that only the operator may look into.
    pub response: Option<String>,
    pub duration_us: i64,
}

/// A delivery with its attempts, newest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeliveryDetail {
    #[serde(flatten)]
    pub delivery: Delivery,
    pub attempt_log: Vec<Attempt>,
}

/// Most attempts shown.
const ATTEMPTS_MAX: i64 = 100;

pub async fn delivery(app: &App, reach: &Reach, id: &DeliveryId) -> Result<DeliveryDetail> {
    const NOT_FOUND: Error = Error::NotFound { what: "the delivery" };
    let row = table::by_id(&app.db, id).await?.ok_or(NOT_FOUND)?;
    let endpoint = endpoints::by_id(&app.db, &row.endpoint_id).await?.ok_or(NOT_FOUND)?;
    if !reach.has(endpoint.account_id.as_ref()) {
        return Err(NOT_FOUND);
    }
    let attempts = table::attempts(&app.db, id, ATTEMPTS_MAX).await?;
    let scope = row.account_id.clone().map_or(Scope::Partner, Scope::Account);
    let shows = *reach == Reach::AllAccounts;
    let mut attempt_log = Vec::with_capacity(attempts.len());
    for it in attempts {
        let response = match &it.response_sealed {
            Some(sealed) if shows => opened(app, &scope, &it.id, sealed).await?,
            _ => None,
        };
        let table::Attempt { id, at, status, error, duration_us, .. } = it;
        attempt_log.push(Attempt { id, at, status, error, response, duration_us });
    }
    Ok(DeliveryDetail { delivery: row.into(), attempt_log })
}

/// What an endpoint answered. What does not open any more, as when the account's key was forgotten, is not kept.
async fn opened(app: &App, scope: &Scope, attempt: &AttemptId, sealed: &[u8]) -> Result<Option<String>> {
    match app.vault.open(&table::response_place(scope, attempt.as_str()), sealed).await {
        Ok(response) => Ok(Some(response.expose_secret().to_owned())),
        Err(vault::Error::DataKeyMissing { .. } | vault::Error::DoesNotOpen) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deliveries, newest first; of one endpoint, or of all for those who reach all.
pub async fn list_deliveries(
    app: &App,
    reach: &Reach,
    endpoint: Option<&EndpointId>,
    status: Option<Status>,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Delivery>> {
    match endpoint {
        Some(id) => {
            super::get(app, reach, id).await?;
        }
        None if *reach == Reach::AllAccounts => {}
        None => return Err(Error::NotFound { what: "the endpoint" }),
    }
    let filter = table::Filter { endpoint_id: endpoint.cloned(), status };
    let page = table::list(&app.db, &filter, after, limit.clamp(1, 100)).await?;
    Ok(Page { items: page.items.into_iter().map(Delivery::from).collect(), next: page.next })
}

/// Deliveries of one subject's events, newest first: for the timeline of a lead.
pub async fn of_subject(app: &App, subject: &str) -> Result<Vec<Delivery>> {
    let rows = table::of_subject(&app.db, subject, ATTEMPTS_MAX).await?;
    Ok(rows.into_iter().map(Delivery::from).collect())
}

/// How many deliveries are in each state.
pub async fn counts(app: &App) -> Result<Vec<(Status, i64)>> {
    let rows = table::counts(&app.db).await?;
    Ok(rows.into_iter().map(|row| (row.status, row.count)).collect())
}

/// The same for each of some endpoints that stand one after the other in the list of all.
pub async fn counts_of<'a>(
    app: &App,
    endpoints: impl IntoIterator<Item = &'a EndpointId>,
) -> Result<HashMap<EndpointId, Vec<(Status, i64)>>> {
    let mut counts: HashMap<_, Vec<_>> = endpoints.into_iter().map(|id| (id.clone(), Vec::new())).collect();
    if let (Some(from), Some(to)) = (counts.keys().min(), counts.keys().max()) {
        let rows = table::counts_of(&app.db, from, to).await?;
        for row in rows {
            counts.entry(row.endpoint_id).or_default().push((row.status, row.count));
        }
    }
    Ok(counts)
}
