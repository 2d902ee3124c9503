//! How the whole service stands, in numbers.

use std::collections::BTreeMap;

use super::{
    App, Result,
    deliveries::{self, Status},
    leads, webhooks,
};
use crate::store::{accounts, connections, forms, lead_charts};

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

/// How leads stand, in all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadCounts {
    /// Leads that are about to be read from Meta.
    pub seen: i64,
    /// Leads that wait for a cause to end.
    pub parked: i64,
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
    let deliveries = deliveries::counts(app).await?;
    let in_status = |status| deliveries.iter().filter(|it| it.0 == status).map(|it| it.1).sum::<i64>();
    let waiting = leads::waiting(app, None).await?;
    let waits = |for_it: &dyn Fn(&str) -> bool| -> i64 {
        waiting.iter().filter(|it| for_it(&it.cause)).map(|it| it.leads).sum()
    };
    let forms = forms::counted(&app.db, None, FORMS).await?;
    let missing = forms.iter().filter_map(|form| form.counts.0.missing(form.here.known()));
    Ok(LeadCounts {
        seen: waits(&|cause| cause == "seen"),
        parked: waits(&|cause| !matches!(cause, "seen" | "gone")),
        undelivered: in_status(Status::Pending) + in_status(Status::Held),
        dead: in_status(Status::Dead),
        missing: missing.map(|it| it.at_least).sum(),
        faults: lead_charts::faulty(&app.db).await?,
        quarantined: webhooks::counts(app).await?.iter().map(|it| it.count).sum(),
    })
}
