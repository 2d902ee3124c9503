//! Leads as they are listed and looked at: nothing personal. What the person sent is [`render`](super::render)ed.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Cause, Stage, State, stages};
use crate::{
    audit::Actor,
    id::{AccountId, DeliveryId, EndpointId, EventId, LeadId},
    service::{
        App, Error, Result, accounts,
        api_keys::Reach,
        deliveries::{self, Attempt, Status},
        events::Kind,
    },
    store::{Page, audit, lead_inbox as table, lead_sightings},
    time::Timestamp,
};

/// Most leads one page holds.
pub const PAGE_MAX: usize = 100;
/// Events and deliveries of a lead that a timeline shows.
const EVENTS: i64 = 50;
const DELIVERIES: usize = 20;

const NOT_FOUND: Error = Error::NotFound { what: "the lead" };

/// Which leads a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    #[default]
    All,
    /// About to be read from Meta.
    Waiting,
    /// Not read yet for a cause: for this one, or for any.
    Parked(Option<Cause>),
    /// Meta does not have them any more.
    Gone,
    Delivered,
    /// Read, and not taken by an endpoint yet.
    Undelivered,
    /// Erased on request, or kept for as long as the account wanted.
    Erased,
}

impl Shown {
    pub const ALL: [Self; 11] = [
        Self::All,
        Self::Waiting,
        Self::Parked(None),
        Self::Parked(Some(Cause::Token)),
        Self::Parked(Some(Cause::Access)),
        Self::Parked(Some(Cause::Throttle)),
        Self::Parked(Some(Cause::Passing)),
        Self::Gone,
        Self::Undelivered,
        Self::Delivered,
        Self::Erased,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Waiting => "waiting",
            Self::Parked(None) => "parked",
            Self::Parked(Some(Cause::Token)) => "parked_token",
            Self::Parked(Some(Cause::Access)) => "parked_access",
            Self::Parked(Some(Cause::Throttle)) => "parked_throttle",
            Self::Parked(Some(Cause::Passing)) => "parked_passing",
            Self::Gone => "gone",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Erased => "erased",
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Shown {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let known = Self::ALL.into_iter().find(|it| it.as_str() == text);
        known.ok_or_else(|| format!("{text:?} names no leads"))
    }
}

/// A lead as a list shows it: without what the person sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Lead")]
pub struct Lead {
    pub id: LeadId,
    pub account_id: AccountId,
    pub account_name: String,
    /// Meta's id.
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    /// Null while the form is not listed yet.
    pub form_name: Option<String>,
    /// A test of the form, not a person's.
    pub is_test: bool,
    #[serde(flatten)]
    pub state: State,
    /// When the person sent it, by Meta.
    pub submitted_at: Option<Timestamp>,
    /// When it was first heard of.
    pub seen_at: Timestamp,
    /// When it was read from Meta.
    pub hydrated_at: Option<Timestamp>,
    /// When an endpoint first took it.
    pub delivered_at: Option<Timestamp>,
    /// How often it was tried to be read.
    pub attempts: i64,
    /// When it is tried next; null when it is read.
    pub due_at: Option<Timestamp>,
    /// `webhook`, `sweep` or `backfill`: who named it first.
    pub source: Option<String>,
}

impl From<table::Listed> for Lead {
    fn from(row: table::Listed) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            account_name: row.account_name,
            meta_lead_id: row.meta_lead_id,
            page_id: row.page_id,
            form_id: row.form_id,
            form_name: row.form_name,
            is_test: row.is_test,
            due_at: row.due_at.filter(|_| row.state.0.is_waiting()),
            state: row.state.0,
            submitted_at: row.submitted_at,
            seen_at: row.seen_at,
            hydrated_at: row.hydrated_at,
            delivered_at: row.delivered_at,
            attempts: row.attempts,
            source: row.source,
        }
    }
}

/// The newest first; of one account or of all, of one form (empty: of all).
pub async fn list(
    app: &App,
    account: Option<&AccountId>,
    form_id: &str,
    shown: Shown,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Lead>> {
    if let Some(id) = account {
        accounts::get(app, id).await?;
    }
    let page = table::list(&app.db, account, form_id, shown, after, limit.clamp(1, PAGE_MAX)).await?;
    Ok(Page { items: page.items.into_iter().map(Lead::from).collect(), next: page.next })
}

/// A lead of this account. One of another account is not found.
pub async fn get(app: &App, account: &AccountId, id: &LeadId) -> Result<Lead> {
    table::by_id(&app.db, account, id).await?.map(Lead::from).ok_or(NOT_FOUND)
}

/// Reads a lead that waits from Meta at once.
pub async fn retry(app: &App, actor: &Actor, account: &AccountId, id: &LeadId) -> Result<Lead> {
    let lead = get(app, account, id).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    if !table::retry(&mut tx, account, id, now).await? {
        return Err(Error::Conflict {
            message: "this lead does not wait to be read".to_owned(),
            next_step: "leave it: it was read already, or it was erased".to_owned(),
        });
    }
    audit::insert(&mut tx, actor, "lead.retried", id.as_str(), json!({ "account": account }), now).await?;
    tx.commit().await?;
    app.wakes.hydrate.notify_one();
    Ok(Lead { due_at: Some(now), ..lead })
}

/// Reads all leads that wait from Meta at once; of one account or of all. Answers how many.
pub async fn retry_all(app: &App, actor: &Actor, account: Option<&AccountId>) -> Result<u64> {
    if let Some(id) = account {
        accounts::get(app, id).await?;
    }
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let due = table::retry_all(&mut tx, account, now).await?;
    let subject = account.map_or("leads", AccountId::as_str);
    audit::insert(&mut tx, actor, "leads.retried", subject, json!({ "due": due }), now).await?;
    tx.commit().await?;
    app.wakes.hydrate.notify_one();
    Ok(due)
}

/// One thing that happened to a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LeadTimelineStep")]
pub struct Step {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
#[schemars(rename = "LeadTimelineWhat")]
pub enum What {
    /// The person sent the form, by Meta's clock.
    Submitted,
    /// A webhook, the sweep or a backfill named it, so many times, last then.
    Sighted {
        source: String,
        times: i64,
        last_at: Timestamp,
    },
    /// It was read from Meta, with everything the person sent.
    Read,
    /// It could not be read; it waits.
    Parked {
        state: State,
    },
    /// Meta does not have it any more.
    Gone,
    /// An event for the partner was written.
    Event {
        event_id: EventId,
        kind: Kind,
    },
    /// An endpoint was sent the event.
    Attempted {
        delivery_id: DeliveryId,
        endpoint_id: EndpointId,
        attempt: Attempt,
    },
    /// The event is on its way to an endpoint, to be tried then.
    Underway {
        delivery_id: DeliveryId,
        endpoint_id: EndpointId,
        status: Status,
    },
    /// A stage of the partner's CRM was told to Meta.
    Staged {
        stage: Stage,
    },
    Erased,
    Expired,
}

/// What happened to a lead, from the form to the endpoints, in order.
pub async fn timeline(app: &App, lead: &Lead) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut add = |at: Timestamp, what: What| steps.push(Step { at, what });
    if let Some(at) = lead.submitted_at {
        add(at, What::Submitted);
    }
    for it in lead_sightings::of_lead(&app.db, &lead.id).await? {
        add(it.first_at, What::Sighted { source: it.source, times: it.times, last_at: it.last_at });
    }
    if let Some(at) = lead.hydrated_at {
        add(at, What::Read);
    }
    match &lead.state {
        State::Seen | State::Hydrated => {}
        State::Parked { since, .. } => add(*since, What::Parked { state: lead.state.clone() }),
        State::Gone { since } => add(*since, What::Gone),
        State::Erased { at } => add(*at, What::Erased),
        State::Expired { at } => add(*at, What::Expired),
    }
    for it in table::events(&app.db, &lead.account_id, lead.id.as_str(), EVENTS).await? {
        add(it.at, What::Event { event_id: it.id, kind: it.kind });
    }
    for it in deliveries::of_subject(app, lead.id.as_str()).await?.into_iter().take(DELIVERIES) {
        let detail = deliveries::delivery(app, &Reach::AllAccounts, &it.id).await?;
        for attempt in detail.attempt_log {
            let (delivery_id, endpoint_id) = (it.id.clone(), it.endpoint_id.clone());
            add(attempt.at, What::Attempted { delivery_id, endpoint_id, attempt });
        }
        if it.status != Status::Delivered {
            let at = it.due_at.unwrap_or(it.created_at);
            add(at, What::Underway { delivery_id: it.id, endpoint_id: it.endpoint_id, status: it.status });
        }
    }
    for stage in stages::of_lead(app, &lead.id).await? {
        add(stage.staged_at, What::Staged { stage });
    }
    // What was added first stands first among what happened at the same moment.
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_one_name() {
        for shown in Shown::ALL {
            assert_eq!(shown.as_str().parse(), Ok(shown));
        }
    }
}
