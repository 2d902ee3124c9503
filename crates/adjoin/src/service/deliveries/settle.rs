use std::collections::{BTreeMap, HashSet};

use super::{
    endpoints::{Dead, tell_dead, tell_disabled},
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
    vault::Scope,
};

/// How long nothing may arrive at an endpoint, in seconds, before it is disabled: five days.
const FAILING_MAX: i64 = 5 * 24 * 3600;
/// A first failure alone disables nothing, however long the endpoint had nothing to take before it.
const ATTEMPTS_MIN: i64 = 3;

/// Writes down what came of attempts, many in one transaction. Answers which endpoints want nothing more for now.
pub async fn settle(app: &App, tx: &mut Tx, sent: &[Sent]) -> Result<HashSet<EndpointId>> {
    let now = app.clock.now();
    let mut quiet = HashSet::new();
    let (mut tried, mut disabled, mut dead) = (Vec::new(), Vec::new(), Vec::new());
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
            let next = one(tx, &mut row, it, now).await?;
            dead.extend(next.as_ref().and_then(Tried::dead).map(|dead| (row.clone(), dead)));
            tried.extend(next);
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
    // Leads are held in one order too.
    tried.sort_by(|a, b| a.lead.cmp(&b.lead));
    for it in tried {
        write(app, tx, it, now).await?;
    }
    // An event's number is held to the end, so it is taken last.
    for row in &disabled {
        tell_disabled(tx, row, now).await?;
    }
    for (row, dead) in &dead {
        tell_dead(tx, row, dead, now).await?;
    }
    Ok(quiet)
}

/// An attempt whose outcome counts, and is to be written down.
struct Tried<'a> {
    sent: &'a Sent,
    status: Option<i64>,
    error: Option<String>,
    /// It was the last attempt.
    is_dead: bool,
    /// The lead that the event is of, behind Meta's id of it.
    lead: Option<(String, LeadId)>,
}

impl<'a> Tried<'a> {
    async fn new(tx: &mut Tx, sent: &'a Sent, status: Option<i64>, error: Option<String>) -> Result<Self> {
        let id: Option<LeadId> = sent.event.as_ref().and_then(|event| event.subject.parse().ok());
        let lead = match id {
            Some(id) => Some((leads::meta_id(tx, &id).await?.unwrap_or_default(), id)),
            None => None,
        };
        Ok(Self { sent, status, error, is_dead: false, lead })
    }

    /// What is told when the delivery was given up.
    fn dead(&self) -> Option<Dead<'a>> {
        let leased = &self.sent.claimed.leased;
        Some(Dead {
            delivery_id: leased.id.clone(),
            event: self.sent.event.as_ref().filter(|_| self.is_dead)?,
            attempts: leased.attempts + 1,
            error: self.error.clone()?,
        })
    }
}

/// Moves a delivery on by what came of its attempt. `None`: there is nothing to write down, or somebody else has it.
async fn one<'a>(
    tx: &mut Tx,
    row: &mut endpoints::Stored,
    sent: &'a Sent,
    now: Timestamp,
) -> Result<Option<Tried<'a>>> {
    let leased = &sent.claimed.leased;
    let (status, error) = match &sent.outcome {
        Outcome::HandedBack { wait } => {
            table::hand_back(tx, leased, now.plus_seconds(*wait)).await?;
            return Ok(None);
        }
        Outcome::Taken { status } => {
            row.failing_since = None;
            let status = i64::from(*status);
            if !table::put_delivered(tx, &leased.id, status, now).await? {
                return Ok(None);
            }
            return Ok(Some(Tried::new(tx, sent, Some(status), None).await?));
        }
        Outcome::Refused { status, .. } => (Some(*status), format!("it answered {status}")),
        Outcome::Unanswered { reason, .. } => (None, reason.clone()),
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
    if !table::put_failed(tx, &failed).await? {
        return Ok(None);
    }
    let is_dead = next == Status::Dead;
    Ok(Some(Tried { is_dead, ..Tried::new(tx, sent, status, Some(error)).await? }))
}

async fn write(app: &App, tx: &mut Tx, tried: Tried<'_>, now: Timestamp) -> Result<()> {
    let Tried { sent, status, error, lead, .. } = tried;
    let lead = lead.map(|(_, id)| id);
    let is_new = sent.event.as_ref().is_some_and(|event| event.kind == Kind::LeadCreated);
    if let (Outcome::Taken { .. }, Some(lead), true) = (&sent.outcome, &lead, is_new) {
        leads::put_delivered(tx, lead, now).await?;
    }
    let id = AttemptId::new();
    let response_sealed = response(app, tx, sent, lead.as_ref(), &id, now).await?;
    let duration_us = i64::try_from(sent.took.as_micros()).unwrap_or(i64::MAX);
    let row = table::Attempt { id, at: sent.at, status, error, response_sealed, duration_us };
    Ok(table::insert_attempt(tx, &sent.claimed.leased.id, &row).await?)
}

/// The beginning of a refusal, sealed, since it may repeat what was sent. Of a lead that was erased while the attempt was
/// under way nothing is kept; the row is held, so that who erases it a moment later finds the answer and takes it away.
async fn response(
    app: &App,
    tx: &mut Tx,
    sent: &Sent,
    lead: Option<&LeadId>,
    attempt: &AttemptId,
    now: Timestamp,
) -> Result<Option<Vec<u8>>> {
    let Outcome::Refused { response: Some(response), .. } = &sent.outcome else { return Ok(None) };
    if let Some(lead) = lead
        && !leads::hold_kept(tx, lead).await?
    {
        return Ok(None);
    }
    let account = sent.event.as_ref().and_then(|event| event.account_id.clone());
    let scope = account.map_or(Scope::Partner, Scope::Account);
    let place = table::response_place(&scope, attempt.as_str());
    Ok(Some(app.vault.seal(tx, &place, response, now).await?))
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
