//! Leads as lists show them.

use super::{Db, Json, Page, Result, row, sql};
use crate::{
    id::{AccountId, EventId, LeadId},
    service::leads::State,
    time::Timestamp,
};

/// A lead in a list, without what the person wrote.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: LeadId,
    pub account_id: AccountId,
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    pub form_name: Option<String>,
    pub ad_id: Option<String>,
    pub ad_set_id: Option<String>,
    pub campaign_id: Option<String>,
    pub is_organic: Option<bool>,
    pub is_test: bool,
    pub platform: Option<String>,
    pub state: Json<State>,
    pub submitted_at: Option<Timestamp>,
    pub seen_at: Timestamp,
    pub hydrated_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    /// Who named it first.
    pub first_source: Option<String>,
}
row!(Listed {
    id,
    account_id,
    meta_lead_id,
    page_id,
    form_id,
    form_name,
    ad_id,
    ad_set_id,
    campaign_id,
    is_organic,
    is_test,
    platform,
    state,
    submitted_at,
    seen_at,
    hydrated_at,
    delivered_at,
    attempts,
    due_at,
    first_source,
});

macro_rules! listed {
    ($rest:literal) => {
        concat!(
            "SELECT l.id AS id, l.account_id AS account_id, l.meta_lead_id AS meta_lead_id, l.page_id AS page_id,
                    l.form_id AS form_id, f.name AS form_name, l.ad_id AS ad_id, l.ad_set_id AS ad_set_id,
                    l.campaign_id AS campaign_id, l.is_organic AS is_organic, l.is_test AS is_test,
                    l.platform AS platform, l.state AS state, l.submitted_at AS submitted_at, l.seen_at AS seen_at,
                    l.hydrated_at AS hydrated_at, l.delivered_at AS delivered_at, l.attempts AS attempts,
                    l.due_at AS due_at,
                    (SELECT s.source FROM lead_sightings s WHERE s.lead_id = l.id
                     ORDER BY s.first_at, s.source LIMIT 1) AS first_source
             FROM leads l LEFT JOIN forms f ON f.account_id = l.account_id AND f.form_id = l.form_id
             WHERE ",
            $rest
        )
    };
}

/// Which leads a list has. Empty text stands for all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub form_id: String,
    pub status: String,
    pub cause: String,
    /// `yes`, `no` or empty.
    pub delivered: &'static str,
    pub submitted_from: Option<Timestamp>,
    pub submitted_until: Option<Timestamp>,
}

/// The newest first, before the cursor; of one account, or of all.
pub async fn list(
    db: &Db,
    account: Option<&AccountId>,
    filter: &Filter,
    before: Option<&str>,
    limit: usize,
) -> Result<Page<Listed>> {
    const ONE: &str = listed!(
        "l.account_id = $1 AND ($2 = '' OR l.form_id = $2) AND ($3 = '' OR l.status = $3)
             AND ($4 = '' OR l.cause = $4) AND ($5 = '' OR ($5 = 'yes') = (l.delivered_at IS NOT NULL))
             AND ($6 = 0 OR l.submitted_at >= $6) AND ($7 = 0 OR l.submitted_at < $7)
             AND l.id < $8 ORDER BY l.id DESC LIMIT $9"
    );
    const ALL: &str = listed!(
        "$1 = '' AND ($2 = '' OR l.form_id = $2) AND ($3 = '' OR l.status = $3)
             AND ($4 = '' OR l.cause = $4) AND ($5 = '' OR ($5 = 'yes') = (l.delivered_at IS NOT NULL))
             AND ($6 = 0 OR l.submitted_at >= $6) AND ($7 = 0 OR l.submitted_at < $7)
             AND l.id < $8 ORDER BY l.id DESC LIMIT $9"
    );
    let millis = |at: Option<Timestamp>| at.map_or(0, Timestamp::millis);
    let rows = sql(if account.is_some() { ONE } else { ALL })
        .bind(account.map_or("", AccountId::as_str))
        .bind(&filter.form_id)
        .bind(&filter.status)
        .bind(&filter.cause)
        .bind(filter.delivered)
        .bind(millis(filter.submitted_from))
        .bind(millis(filter.submitted_until))
        .bind(before.unwrap_or(LeadId::BEYOND))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .all(db)
        .await?;
    Ok(Page::from_rows(rows, limit, |lead: &Listed| lead.id.to_string()))
}

pub async fn get(db: &Db, account: &AccountId, id: &LeadId) -> Result<Option<Listed>> {
    sql(listed!("l.account_id = $1 AND l.id = $2")).bind(account).bind(id).optional(db).await
}

#[derive(Debug, Clone)]
pub struct Count {
    /// The cause of those that are parked or gone, else the status.
    pub name: String,
    pub count: i64,
    pub oldest_at: Timestamp,
}
row!(Count { name, count, oldest_at });

/// How many leads wait, by what they wait for; of one account, or of all.
pub async fn waiting(db: &Db, account: Option<&AccountId>) -> Result<Vec<Count>> {
    // Two texts, so that the first is found by its account.
    macro_rules! waiting {
        ($of:literal) => {
            concat!(
                "SELECT COALESCE(cause, status) AS name, COUNT(*) AS count,
                        MIN(COALESCE(submitted_at, seen_at)) AS oldest_at
                 FROM leads WHERE (due_at IS NOT NULL OR cause IS NOT NULL) AND ",
                $of,
                " GROUP BY COALESCE(cause, status) ORDER BY 1"
            )
        };
    }
    sql(if account.is_some() { waiting!("account_id = $1") } else { waiting!("$1 = ''") })
        .bind(account.map_or("", AccountId::as_str))
        .all(db)
        .await
}

/// An event about a lead.
#[derive(Debug, Clone)]
pub struct Told {
    pub seq: i64,
    pub id: EventId,
    pub kind: String,
    pub at: Timestamp,
}
row!(Told { seq, id, kind, at });

/// Most events of a lead that are shown.
const EVENTS: i64 = 100;

/// Events about a lead, the oldest first; those too that came before the lead was known and name it by Meta's id.
pub async fn events(db: &Db, account: &AccountId, id: &LeadId, meta_lead_id: &str) -> Result<Vec<Told>> {
    sql("SELECT seq, id, type AS kind, at FROM events
         WHERE subject IN ($1, $2) AND account_id = $3 ORDER BY seq LIMIT $4")
    .bind(id)
    .bind(meta_lead_id)
    .bind(account)
    .bind(EVENTS)
    .all(db)
    .await
}
