//! How the whole service stands, in numbers.

use std::collections::BTreeMap;

use super::{
    App, Result,
    deliveries::{self, Status},
    webhooks,
};
use crate::{
    id::AccountId,
    store::{accounts, connections, lead_charts},
};

/// What the overview counts.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub accounts: i64,
    /// Connections by the name of their state (`connected`, `broken` ...).
    pub connections: BTreeMap<String, i64>,
}

impl Counts {
    pub fn connections_in(&self, state: &str) -> i64 {
        self.connections.get(state).copied().unwrap_or_default()
    }
}

pub async fn counts(app: &App) -> Result<Counts> {
    Ok(Counts {
        accounts: accounts::count(&app.db).await?,
        connections: connections::count_by_status(&app.db).await?,
    })
}

/// What of leads and webhooks is on its way, or waits for somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Leads that are about to be read from Meta.
    pub seen: i64,
    /// Leads that wait for a cause to end, by the cause's name; `gone` with them.
    pub parked: BTreeMap<String, i64>,
}

impl Waiting {
    pub fn all_parked(&self) -> i64 {
        self.parked.iter().filter(|(cause, _)| *cause != "gone").map(|(_, count)| count).sum()
    }
}

/// Leads that are not read yet; of one account or of all.
pub async fn waiting(app: &App, account: Option<&AccountId>) -> Result<Waiting> {
    let mut waiting = Waiting::default();
    for row in lead_charts::waiting(&app.db, account).await? {
        if row.cause.is_empty() {
            waiting.seen = row.count;
        } else {
            waiting.parked.insert(row.cause, row.count);
        }
    }
    Ok(waiting)
}

/// How leads stand, in all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadCounts {
    pub waiting: Waiting,
    /// Deliveries that are on their way.
    pub undelivered: i64,
    /// Deliveries that were given up.
    pub dead: i64,
    /// Leads that Meta counts and that are not here: at least so many.
    pub missing: i64,
    /// Pages and ad accounts with a fault.
    pub faults: i64,
    pub quarantined: i64,
}

/// Forms that go into the count of what is missing.
const FORMS: i64 = 20_000;

pub async fn lead_counts(app: &App) -> Result<LeadCounts> {
    let deliveries = deliveries::counts(app, None).await?;
    let in_status = |status| deliveries.iter().filter(|it| it.0 == status).map(|it| it.1).sum::<i64>();
    let forms = lead_charts::counted(&app.db, FORMS).await?;
    Ok(LeadCounts {
        waiting: waiting(app, None).await?,
        undelivered: in_status(Status::Pending) + in_status(Status::Held),
        dead: in_status(Status::Dead),
        missing: forms.iter().filter_map(|form| form.counts.0.missing(form.here)).sum(),
        faults: lead_charts::faulty(&app.db).await?,
        quarantined: webhooks::counts(app).await?.iter().map(|it| it.count).sum(),
    })
}
