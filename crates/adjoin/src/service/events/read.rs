use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Kind, Pattern, listed};
use crate::{
    id::{AccountId, EventId, LeadId},
    service::{App, Error, Result, api_keys::Reach, leads},
    store::events as table,
    time::Timestamp,
};

/// What happened, as it is delivered and as it is read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Event {
    /// The same in every delivery, retry and replay: tell by it what you have seen.
    pub id: EventId,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Null for what concerns all accounts: the app's own subscriptions, and endpoints for all accounts.
    pub account_id: Option<AccountId>,
    /// Its place in the order of all events. Numbers only grow; a key that is bound to an account sees gaps.
    pub seq: i64,
    /// By type. Of a lead, what the person sent, as long as it is not erased: then `{"lead_id", "erased": true}`. `is_test`
    /// marks test leads. Of Meta's changes, `value` is what Meta said, with ids as text, also where Meta writes numbers.
    pub data: Value,
}

/// Shows an event. A lead is read now, so that one that was erased is not told again.
pub async fn render(app: &App, event: table::Stored) -> Result<Event> {
    let data = match (event.kind, &event.account_id) {
        (Kind::LeadCreated, Some(account)) => lead(app, account, &event.subject).await?,
        _ => event.data.0,
    };
    Ok(Event {
        id: event.id,
        kind: event.kind,
        timestamp: event.at,
        account_id: event.account_id,
        seq: event.seq,
        data,
    })
}

async fn lead(app: &App, account: &AccountId, subject: &str) -> Result<Value> {
    let content = match subject.parse::<LeadId>() {
        Ok(id) => leads::render(app, account, &id).await?,
        Err(_) => None,
    };
    Ok(content
        .and_then(|content| serde_json::to_value(content).ok())
        .unwrap_or_else(|| json!({ "lead_id": subject, "erased": true })))
}

/// Events behind a number.
#[derive(Debug)]
pub struct Read {
    pub events: Vec<Event>,
    /// The number to go on from.
    pub next: i64,
    /// Whether there are more already.
    pub more: bool,
}

/// How often a reader who waits looks. Other processes write events too, so nobody here could wake it.
const LOOK: Duration = Duration::from_millis(250);
/// Most events of one answer.
const LIMIT_MAX: usize = 100;
/// Longest a reader waits.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The events behind a number, in their order. Their transactions end in the order of the numbers, so that a later event
/// is never visible before an earlier one. With `wait` it waits for the first so long.
///
/// A number that was never given is refused: whoever kept it has seen another database, or this one before a backup was taken
/// back, and would step over what is written from now on.
pub async fn read(
    app: &App,
    reach: &Reach,
    account: Option<AccountId>,
    types: &[Pattern],
    after: i64,
    limit: usize,
    wait: Duration,
) -> Result<Read> {
    let account_id = reach.narrow(account)?;
    let selection = table::Selection { account_id, kinds: listed(types) };
    let limit = limit.clamp(1, LIMIT_MAX);
    let until = Instant::now() + wait.min(WAIT_MAX);
    let newest = table::last_number(&app.db).await?;
    if after > newest {
        let fix = format!(
            "{newest} to go on with what is written from now on, or the `seq` of the last event that you know is still here"
        );
        let message =
            format!("no event has this number yet, the newest is {newest}: the database was set back");
        return Err(Error::invalid("after", message, fix));
    }
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    // Moves past what is not asked for, so that nobody looks through it twice.
    let mut next = after;
    let mut rows = loop {
        // Before the rows are read: what is committed meanwhile has a later number.
        let last = table::last_number(&app.db).await?;
        let rows =
            if last > next { table::after(&app.db, next, &selection, one_more).await? } else { Vec::new() };
        if rows.len() <= limit {
            next = next.max(last);
        }
        let left = until.saturating_duration_since(Instant::now());
        if !rows.is_empty() || left.is_zero() {
            break rows;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    if let Some(row) = rows.last() {
        // With more to come no further than this row; else a row may be later than `last`.
        next = next.max(row.seq);
    }
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.push(render(app, row).await?);
    }
    Ok(Read { events, next, more })
}
