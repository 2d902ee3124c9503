use std::collections::{BTreeMap, HashSet};

use super::{
    endpoints::tell_disabled,
    schedule::{self, Next},
    send::{Outcome, Sent},
    state::{Cause, State, Status},
};
use crate::{
    id::{AttemptId, EndpointId, LeadId},
    random,
    service::{App, Result, events::Kind},
    store::{Json, Tx, deliveries as table, endpoints, leads},
    time::Timestamp,
};

/// How long nothing may arrive at an endpoint, in seconds, before it is disabled: five days.
const FAILING_MAX: i64 = 5 * 24 * 3600;
/// A first failure alone disables nothing, however long the endpoint had nothing to take before it.
const ATTEMPTS_MIN: i64 = 3;

/// Writes down what came of attempts, many in one transaction. Answers which endpoints want nothing more for now.
pub async fn settle(app: &App, tx: &mut Tx, sent: &[Sent]) -> Result<HashSet<EndpointId>> {
    let now = app.clock.now();
    let mut quiet = HashSet::new();
    let (mut arrived, mut disabled) = (Vec::new(), Vec::new());
    // In one order, so that two processes do not wait for each other.
    let mut by_endpoint: BTreeMap<&EndpointId, Vec<&Sent>> = BTreeMap::new();
    for it in sent {
        by_endpoint.entry(&it.claimed.endpoint.id).or_default().push(it);
    }
    for (id, all) in by_endpoint {
        let has_failure =
            all.iter().any(|it| matches!(it.outcome, Outcome::Refused { .. } | Outcome::Unanswered { .. }));
        // Only read where all went well before and now: busy endpoints are not written at each turn.
        let row = endpoints::by_id(&mut *tx, id).await?;
        let row = match row {
            Some(row) if has_failure || row.failing_since.is_some() => {
                endpoints::by_id_for_update(tx, id).await?
            }
            row => row,
        };
        // It was deleted, and its deliveries with it.
        let Some(mut row) = row else { continue };
        let before = (row.state.clone(), row.failing_since, row.paused_until);
        for it in all {
            one(tx, &mut row, it, now, &mut arrived).await?;
        }
        if before != (row.state.clone(), row.failing_since, row.paused_until) {
            row.updated_at = now;
            endpoints::put(tx, &row).await?;
        }
        if !row.state.0.is_enabled() {
            table::hold(tx, id).await?;
        }
        if before.0.0.is_enabled() && !row.state.0.is_enabled() {
            disabled.push(row.clone());
        }
        if !row.state.0.is_enabled() || row.paused_until.is_some_and(|until| until > now) {
            quiet.insert(id.clone());
        }
    }
    arrived.sort();
    for (_, lead) in arrived {
        leads::put_delivered(tx, &lead, now).await?;
    }
    // An event's number is held to the end, so it is taken last.
    for row in &disabled {
        tell_disabled(tx, row, now).await?;
    }
    Ok(quiet)
}

async fn one(
    tx: &mut Tx,
    row: &mut endpoints::Stored,
    sent: &Sent,
    now: Timestamp,
    arrived: &mut Vec<(String, LeadId)>,
) -> Result<()> {
    let leased = &sent.claimed.leased;
    let (status, error, response) = match &sent.outcome {
        Outcome::HandedBack { wait } => {
            return Ok(table::hand_back(tx, leased, now.plus_seconds(*wait)).await?);
        }
        Outcome::Taken { status } => {
            row.failing_since = None;
            let status = i64::from(*status);
            if table::put_delivered(tx, &leased.id, status, now).await? {
                attempt(tx, sent, Some(status), None, None).await?;
                if let Some(lead) = lead_of(sent)
                    && let Some(meta_lead_id) = leads::meta_id(tx, &lead).await?
                {
                    arrived.push((meta_lead_id, lead));
                }
            }
            return Ok(());
        }
        Outcome::Refused { status, response, .. } => {
            (Some(*status), format!("it answered {status}"), Some(response.clone()))
        }
        Outcome::Unanswered { reason, .. } => (None, reason.clone(), None),
    };
    let attempts = leased.attempts + 1;
    let since = *row.failing_since.get_or_insert(now);
    if row.state.0.is_enabled() {
        let cause = if status == Some(410) {
            Some(Cause::Gone)
        } else if attempts >= ATTEMPTS_MIN && now >= since.plus_seconds(FAILING_MAX) {
            Some(Cause::Failing)
        } else {
            None
        };
        if let Some(cause) = cause {
            tracing::warn!(endpoint = row.id.as_str(), ?cause, "an endpoint is disabled");
            row.state = Json(State::Disabled { cause, at: now });
        }
    }
    if let Some(seconds) = sent.outcome.pause() {
        row.paused_until = row.paused_until.max(Some(now.plus_seconds(seconds)));
    }
    let (next, due_at) = match schedule::next(attempts, now, random::share()) {
        Next::Retry { at } => (Status::Pending, at),
        Next::Dead => (Status::Dead, now),
    };
    let status = status.map(i64::from);
    let failed = table::Failed { leased, status: next, due_at, last_status: status, last_error: &error };
    if table::put_failed(tx, &failed).await? {
        attempt(tx, sent, status, Some(error), response).await?;
    }
    Ok(())
}

async fn attempt(
    tx: &mut Tx,
    sent: &Sent,
    status: Option<i64>,
    error: Option<String>,
    response: Option<String>,
) -> Result<()> {
    let duration_us = i64::try_from(sent.took.as_micros()).unwrap_or(i64::MAX);
    let row = table::Attempt { id: AttemptId::new(), at: sent.at, status, error, response, duration_us };
    Ok(table::insert_attempt(tx, &sent.claimed.leased.id, &row).await?)
}

/// The lead whose arrival this is.
fn lead_of(sent: &Sent) -> Option<LeadId> {
    let event = sent.event.as_ref().filter(|event| event.kind == Kind::LeadCreated)?;
    event.subject.parse().ok()
}

/// Counts what came of attempts. After the commit.
pub fn count(app: &App, sent: &[Sent]) {
    let now = app.clock.now();
    for it in sent {
        match (&it.outcome, &it.event) {
            (Outcome::HandedBack { .. }, _) => {}
            (Outcome::Taken { .. }, event) => {
                let age = event.as_ref().map_or(0, |event| now.millis() - event.at.millis());
                app.metrics.delivered(std::time::Duration::from_millis(age.unsigned_abs()));
            }
            (Outcome::Refused { .. }, _) => app.metrics.not_delivered("refused"),
            (Outcome::Unanswered { .. }, _) => app.metrics.not_delivered("unanswered"),
        }
    }
}
