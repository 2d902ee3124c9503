//! Leads as lists show them, and the way of one from its first sighting to its delivery.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cause, Content, Stage, State, expiry, render, stages};
use crate::{
    id::{AccountId, EventId, LeadId},
    service::{
        App, Error, Result,
        api_keys::Reach,
        deliveries::{self, DeliveryDetail},
    },
    store::{Page, lead_parks, lead_sightings, lead_views as table},
    time::Timestamp,
};

/// Most leads one page holds.
pub const PAGE_MAX: usize = 100;
/// Parks of a lead that are shown.
const PARKS: i64 = 100;

/// A form submission, without what the person wrote.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Lead {
    pub id: LeadId,
    pub account_id: AccountId,
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    pub form_name: Option<String>,
    pub ad_id: Option<String>,
    pub ad_set_id: Option<String>,
    pub campaign_id: Option<String>,
    /// Not through an ad. Null until it is read.
    pub is_organic: Option<bool>,
    pub is_test: bool,
    /// `fb`, `ig`, and whatever else Meta writes.
    pub platform: Option<String>,
    #[serde(flatten)]
    pub state: State,
    /// When the person sent it.
    pub submitted_at: Option<Timestamp>,
    /// When Adjoin first heard of it.
    pub seen_at: Timestamp,
    /// When it was read from Meta.
    pub hydrated_at: Option<Timestamp>,
    /// When an endpoint first took it.
    pub delivered_at: Option<Timestamp>,
    /// Tries to read it that failed, for the present cause.
    pub attempts: i64,
    /// When it is tried next, unless its cause ends before.
    pub next_try_at: Option<Timestamp>,
    /// While it is not read: when Meta stops keeping it, 90 days after it was sent.
    pub lost_at: Option<Timestamp>,
    /// The same in hours from now.
    pub hours_left: Option<i64>,
    /// Who named it first: `webhook`, `update`, `sweep` or `backfill`.
    pub first_source: Option<String>,
}

impl Lead {
    fn at(row: table::Listed, now: Timestamp) -> Self {
        let waits = row.state.0.is_waiting();
        let lost_at = waits.then(|| expiry::lost_at(row.submitted_at.unwrap_or(row.seen_at)));
        Self {
            id: row.id,
            account_id: row.account_id,
            meta_lead_id: row.meta_lead_id,
            page_id: row.page_id,
            form_id: row.form_id,
            form_name: row.form_name,
            ad_id: row.ad_id,
            ad_set_id: row.ad_set_id,
            campaign_id: row.campaign_id,
            is_organic: row.is_organic,
            is_test: row.is_test,
            platform: row.platform,
            state: row.state.0,
            submitted_at: row.submitted_at,
            seen_at: row.seen_at,
            hydrated_at: row.hydrated_at,
            delivered_at: row.delivered_at,
            attempts: row.attempts,
            next_try_at: row.due_at,
            lost_at,
            hours_left: lost_at.map(|at| (at.unix() - now.unix()).max(0) / 3600),
            first_source: row.first_source,
        }
    }
}

/// A state's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LeadStatus")]
pub enum Status {
    Seen,
    Hydrated,
    Parked,
    Gone,
    Erased,
    Expired,
}

impl Status {
    pub const ALL: [Self; 6] =
        [Self::Seen, Self::Hydrated, Self::Parked, Self::Gone, Self::Erased, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Hydrated => "hydrated",
            Self::Parked => "parked",
            Self::Gone => "gone",
            Self::Erased => "erased",
            Self::Expired => "expired",
        }
    }
}

/// Which leads a list has.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub form_id: Option<String>,
    pub status: Option<Status>,
    /// Of those that are parked.
    pub cause: Option<Cause>,
    /// Whether an endpoint took it.
    pub delivered: Option<bool>,
    /// Sent at this moment or later.
    pub submitted_from: Option<Timestamp>,
    /// Sent before this moment.
    pub submitted_until: Option<Timestamp>,
}

/// The newest first; of one account, or of all.
pub async fn list(
    app: &App,
    account: Option<&AccountId>,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Lead>> {
    let filter = table::Filter {
        form_id: filter.form_id.clone().unwrap_or_default(),
        status: filter.status.map(Status::as_str).unwrap_or_default().to_owned(),
        cause: filter.cause.map(Cause::as_str).unwrap_or_default().to_owned(),
        delivered: match filter.delivered {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        },
        submitted_from: filter.submitted_from,
        submitted_until: filter.submitted_until,
    };
    let now = app.clock.now();
    let page = table::list(&app.db, account, &filter, after, limit.clamp(1, PAGE_MAX)).await?;
    Ok(Page { items: page.items.into_iter().map(|row| Lead::at(row, now)).collect(), next: page.next })
}

pub(super) const NOT_FOUND: Error = Error::NotFound { what: "the lead" };

pub async fn get(app: &App, account: &AccountId, id: &LeadId) -> Result<Lead> {
    let row = table::get(&app.db, account, id).await?.ok_or(NOT_FOUND)?;
    Ok(Lead::at(row, app.clock.now()))
}

/// How many leads wait for something.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Waiting {
    /// `seen`: about to be read; `token`, `access`, `throttle`, `passing`: parked; `gone`: Meta has it no more.
    pub cause: String,
    pub leads: i64,
    /// When the oldest of them was sent.
    pub oldest_at: Timestamp,
    /// Hours until Meta stops keeping the oldest.
    pub hours_left: i64,
}

/// What leads wait for; of one account, or of all.
pub async fn waiting(app: &App, account: Option<&AccountId>) -> Result<Vec<Waiting>> {
    let now = app.clock.now();
    let rows = table::waiting(&app.db, account).await?;
    let waiting = |row: table::Count| Waiting {
        cause: row.name,
        leads: row.count,
        oldest_at: row.oldest_at,
        hours_left: (expiry::lost_at(row.oldest_at).unix() - now.unix()).max(0) / 3600,
    };
    Ok(rows.into_iter().map(waiting).collect())
}

/// How often one source has named a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SightedBy {
    /// `webhook`: Meta announced it; `update`: Meta told of a change of it; `sweep` or `backfill`: it was found at Meta.
    pub source: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub times: i64,
}

/// An event about a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeadEvent {
    pub seq: i64,
    pub id: EventId,
    #[serde(rename = "type")]
    pub kind: String,
    pub at: Timestamp,
}

/// The way of one lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LeadTimeline")]
pub struct Timeline {
    /// Who named it, and how often.
    pub sightings: Vec<SightedBy>,
    /// Each time it could not be read, and why, the oldest first: it was parked, or gone. The last 100.
    pub parks: Vec<State>,
    /// What was told of it.
    pub events: Vec<LeadEvent>,
    /// Where that went, with every attempt.
    pub deliveries: Vec<DeliveryDetail>,
    /// What was told back to Meta.
    pub stages: Vec<Stage>,
}

/// A lead with what the person sent, and its way.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeadDetail {
    #[serde(flatten)]
    pub lead: Lead,
    /// What the person sent; null until it is read, and after it was erased.
    pub content: Option<Content>,
    pub timeline: Timeline,
}

/// A lead with everything. Deliveries are those that `reach` may look into.
pub async fn detail(app: &App, reach: &Reach, account: &AccountId, id: &LeadId) -> Result<LeadDetail> {
    let lead = get(app, account, id).await?;
    let timeline = way(app, reach, &lead).await?;
    Ok(LeadDetail { content: render(app, account, id).await?, timeline, lead })
}

/// The way of a lead, as an operator may see it.
pub async fn timeline(app: &App, account: &AccountId, id: &LeadId) -> Result<Timeline> {
    way(app, &Reach::AllAccounts, &get(app, account, id).await?).await
}

async fn way(app: &App, reach: &Reach, lead: &Lead) -> Result<Timeline> {
    let sightings = lead_sightings::of_lead(&app.db, &lead.id).await?;
    let events = table::events(&app.db, &lead.account_id, &lead.id, &lead.meta_lead_id).await?;
    let parks = lead_parks::of_lead(&app.db, &lead.id, PARKS).await?;
    let mut attempted = Vec::new();
    for delivery in deliveries::of_subject(app, lead.id.as_str()).await? {
        match deliveries::delivery(app, reach, &delivery.id).await {
            Ok(delivery) => attempted.push(delivery),
            // Of an endpoint that the caller may not see, or that went away this moment.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let sighted = |row: lead_sightings::Sightings| SightedBy {
        source: row.source,
        first_at: row.first_at,
        last_at: row.last_at,
        times: row.times,
    };
    let told = |row: table::Told| LeadEvent { seq: row.seq, id: row.id, kind: row.kind, at: row.at };
    Ok(Timeline {
        sightings: sightings.into_iter().map(sighted).collect(),
        parks,
        events: events.into_iter().map(told).collect(),
        deliveries: attempted,
        stages: stages::of_lead(app, &lead.id).await?,
    })
}
