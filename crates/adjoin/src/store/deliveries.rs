use super::{Db, Page, Result, Tx, events, query::On, row, sql};
use crate::{
    id::{AccountId, AttemptId, DeliveryId, EndpointId, EventId},
    service::{deliveries::Status, events::Kind},
    time::Timestamp,
    vault::{Place, Scope, SealedRow},
};

/// One event on its way to one endpoint, with what is shown of the event.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: DeliveryId,
    pub endpoint_id: EndpointId,
    pub event_seq: i64,
    pub event_id: EventId,
    pub kind: Kind,
    /// When it happened.
    pub event_at: Timestamp,
    pub account_id: Option<AccountId>,
    pub subject: String,
    pub status: Status,
    /// Since it was written, or replayed.
    pub attempts: i64,
    pub due_at: Timestamp,
    pub leased_until: Option<Timestamp>,
    /// What the endpoint last answered.
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
}
row!(Stored {
    id,
    endpoint_id,
    event_seq,
    event_id,
    kind,
    event_at,
    account_id,
    subject,
    status,
    attempts,
    due_at,
    leased_until,
    last_status,
    last_error,
    created_at,
    delivered_at,
});

/// Selects [`Stored`] rows.
macro_rules! stored {
    ($rest:literal) => {
        concat!(
            "SELECT d.id AS id, d.endpoint_id AS endpoint_id, d.event_seq AS event_seq, e.id AS event_id,
                    e.type AS kind, e.at AS event_at, d.account_id AS account_id, d.subject AS subject,
                    d.status AS status, d.attempts AS attempts, d.due_at AS due_at, d.leased_until AS leased_until,
                    d.last_status AS last_status, d.last_error AS last_error, d.created_at AS created_at,
                    d.delivered_at AS delivered_at
             FROM deliveries d JOIN events e ON e.seq = d.event_seq ",
            $rest
        )
    };
}

/// A delivery that is ours until `leased_until`.
#[derive(Debug, Clone)]
pub struct Leased {
    pub id: DeliveryId,
    pub event_seq: i64,
    pub attempts: i64,
    pub leased_until: Timestamp,
}
row!(Leased { id, event_seq, attempts, leased_until });

/// Puts an event on its way to an endpoint.
pub async fn insert(
    tx: &mut Tx,
    endpoint: &EndpointId,
    event: &events::Stored,
    now: Timestamp,
) -> Result<DeliveryId> {
    let id = DeliveryId::new();
    sql("INSERT INTO deliveries (id, endpoint_id, event_seq, account_id, subject, status, attempts, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $6)")
    .bind(&id)
    .bind(endpoint)
    .bind(event.seq)
    .bind(event.account_id.as_ref())
    .bind(&event.subject)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(id)
}

#[derive(Debug)]
struct Ready {
    id: EndpointId,
}
row!(Ready { id });

// A clock that was set back must not keep anything waiting for long: what is due more than 27 hours from now, further than
// any wait, counts as due, and a pause of more than two hours as over.

/// Whether anything is due at an endpoint that takes it. It may be held back by an earlier one all the same.
pub async fn any_due(db: &Db, now: Timestamp) -> Result<bool> {
    let row: Option<Ready> = sql("SELECT e.id AS id FROM endpoints e
         WHERE e.status = 'enabled' AND (e.paused_until IS NULL OR e.paused_until <= $1 OR e.paused_until > $1 + 7200000)
             AND EXISTS (SELECT 1 FROM deliveries d
                         WHERE d.endpoint_id = e.id AND d.status = 'pending'
                             AND (d.due_at <= $1 OR d.due_at > $1 + 97200000))
         LIMIT 1")
    .bind(now)
    .optional(db)
    .await?;
    Ok(row.is_some())
}

/// Endpoints to which something can be sent now, in no order, so that none stands behind the others for long.
pub async fn ready_endpoints(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<EndpointId>> {
    let rows: Vec<Ready> = sql("SELECT e.id AS id FROM endpoints e
         WHERE e.status = 'enabled' AND (e.paused_until IS NULL OR e.paused_until <= $1 OR e.paused_until > $1 + 7200000)
             AND EXISTS (SELECT 1 FROM deliveries d
                         WHERE d.endpoint_id = e.id AND d.status = 'pending'
                             AND (d.due_at <= $1 OR d.due_at > $1 + 97200000)
                             AND NOT EXISTS (SELECT 1 FROM deliveries p
                                             WHERE p.endpoint_id = d.endpoint_id AND p.subject = d.subject
                                                 AND p.status = 'pending' AND p.event_seq < d.event_seq))
         ORDER BY RANDOM() LIMIT $2")
    .bind(now)
    .bind(limit)
    .all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Claims deliveries of an endpoint, the oldest first: due ones with nothing earlier of the same subject on its way.
pub async fn claim(
    tx: &mut Tx,
    endpoint: &EndpointId,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<Leased>> {
    macro_rules! claim {
        ($lock:literal) => {
            concat!(
                "WITH due AS (
                     SELECT d.id AS id FROM deliveries d
                     WHERE d.endpoint_id = $1 AND d.status = 'pending'
                         AND (d.due_at <= $2 OR d.due_at > $2 + 97200000)
                         AND NOT EXISTS (SELECT 1 FROM deliveries p
                                         WHERE p.endpoint_id = d.endpoint_id AND p.subject = d.subject
                                             AND p.status = 'pending' AND p.event_seq < d.event_seq)
                     ORDER BY d.due_at LIMIT $4 ",
                $lock,
                ")
                 UPDATE deliveries SET due_at = $3, leased_until = $3 WHERE id IN (SELECT id FROM due)
                 RETURNING id, event_seq, attempts, leased_until"
            )
        };
    }
    let text = if tx.locks_rows() { claim!("FOR UPDATE OF d SKIP LOCKED") } else { claim!("") };
    let mut rows: Vec<Leased> =
        sql(text).bind(endpoint).bind(now).bind(leased_until).bind(limit).all(tx).await?;
    rows.sort_by_key(|row| row.event_seq);
    Ok(rows)
}

/// It arrived: even when the lease ended meanwhile, or the endpoint was disabled. False when it is not on its way.
pub async fn put_delivered(tx: &mut Tx, id: &DeliveryId, status: i64, now: Timestamp) -> Result<bool> {
    let done =
        sql("UPDATE deliveries SET status = 'delivered', attempts = attempts + 1, leased_until = NULL,
             last_status = $2, last_error = NULL, delivered_at = $3
         WHERE id = $1 AND status IN ('pending', 'held')")
        .bind(id)
        .bind(status)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

/// What becomes of a delivery that did not arrive.
#[derive(Debug)]
pub struct Failed<'a> {
    pub leased: &'a Leased,
    pub status: Status,
    pub due_at: Timestamp,
    pub last_status: Option<i64>,
    pub last_error: &'a str,
}

/// It did not arrive. False when the lease had ended: somebody else has it.
pub async fn put_failed(tx: &mut Tx, failed: &Failed<'_>) -> Result<bool> {
    let done =
        sql("UPDATE deliveries SET status = $3, attempts = attempts + 1, due_at = $4, leased_until = NULL,
             last_status = $5, last_error = $6
         WHERE id = $1 AND leased_until = $2 AND status = 'pending'")
        .bind(&failed.leased.id)
        .bind(failed.leased.leased_until)
        .bind(failed.status.as_str())
        .bind(failed.due_at)
        .bind(failed.last_status)
        .bind(failed.last_error)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

/// It was not tried: due as before.
pub async fn hand_back(tx: &mut Tx, leased: &Leased, due_at: Timestamp) -> Result<()> {
    sql("UPDATE deliveries SET due_at = $3, leased_until = NULL WHERE id = $1 AND leased_until = $2")
        .bind(&leased.id)
        .bind(leased.leased_until)
        .bind(due_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Nothing of a disabled endpoint is on its way.
pub async fn hold(tx: &mut Tx, endpoint: &EndpointId) -> Result<u64> {
    sql("UPDATE deliveries SET status = 'held', leased_until = NULL WHERE endpoint_id = $1 AND status = 'pending'")
        .bind(endpoint)
        .execute(tx)
        .await
}

/// What was held goes on its way again, from the first attempt.
pub async fn release(tx: &mut Tx, endpoint: &EndpointId, now: Timestamp) -> Result<u64> {
    sql("UPDATE deliveries SET status = 'pending', attempts = 0, due_at = $2
         WHERE endpoint_id = $1 AND status = 'held'")
    .bind(endpoint)
    .bind(now)
    .execute(tx)
    .await
}

/// Makes those due that wait for their next attempt; those under way stay as they are.
pub async fn recover(tx: &mut Tx, endpoint: &EndpointId, now: Timestamp) -> Result<u64> {
    sql("UPDATE deliveries SET due_at = $2
         WHERE endpoint_id = $1 AND status = 'pending' AND due_at > $2 AND leased_until IS NULL")
    .bind(endpoint)
    .bind(now)
    .execute(tx)
    .await
}

/// Sends one again, from the first attempt. One that is under way stays as it is.
pub async fn replay(tx: &mut Tx, id: &DeliveryId, now: Timestamp) -> Result<u64> {
    sql("UPDATE deliveries SET status = 'pending', attempts = 0, due_at = $2, delivered_at = NULL
         WHERE id = $1 AND leased_until IS NULL")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await
}

/// The same for a window of events; `only` is a status, or empty for all.
pub async fn replay_in(
    tx: &mut Tx,
    endpoint: &EndpointId,
    window: &events::Window,
    only: &str,
    now: Timestamp,
) -> Result<u64> {
    sql("UPDATE deliveries SET status = 'pending', attempts = 0, due_at = $2, delivered_at = NULL
         WHERE endpoint_id = $1 AND leased_until IS NULL AND ($3 = '' OR status = $3)
             AND event_seq IN (SELECT seq FROM events
                               WHERE at >= $4 AND at < $5 AND ($6 = '' OR account_id = $6) AND type <> 'endpoint.test'
                                   AND ($7 = '' OR $7 LIKE '%,' || type || ',%') AND ($8 OR NOT is_test))")
    .bind(endpoint)
    .bind(now)
    .bind(only)
    .bind(window.from)
    .bind(window.until)
    .bind(window.selection.account_id.as_ref().map(AccountId::as_str).unwrap_or_default())
    .bind(&window.selection.kinds)
    .bind(window.test_leads)
    .execute(tx)
    .await
}

/// Events of a window that were never on their way to the endpoint, in their order.
pub async fn never_sent(
    tx: &mut Tx,
    endpoint: &EndpointId,
    window: &events::Window,
    limit: i64,
) -> Result<Vec<events::Stored>> {
    sql("SELECT seq, id, account_id, type AS kind, subject, data, is_test, at FROM events
         WHERE at >= $2 AND at < $3 AND ($4 = '' OR account_id = $4) AND type <> 'endpoint.test'
             AND ($5 = '' OR $5 LIKE '%,' || type || ',%') AND ($7 OR NOT is_test)
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = $1 AND d.event_seq = seq)
         ORDER BY seq LIMIT $6")
    .bind(endpoint)
    .bind(window.from)
    .bind(window.until)
    .bind(window.selection.account_id.as_ref().map(AccountId::as_str).unwrap_or_default())
    .bind(&window.selection.kinds)
    .bind(limit)
    .bind(window.test_leads)
    .all(tx)
    .await
}

pub async fn by_id(on: impl Into<On<'_>>, id: &DeliveryId) -> Result<Option<Stored>> {
    sql(stored!("WHERE d.id = $1")).bind(id).optional(on).await
}

/// Deliveries of an event, one an endpoint.
pub async fn of_subject(db: &Db, subject: &str, limit: i64) -> Result<Vec<Stored>> {
    sql(stored!("WHERE e.subject = $1 ORDER BY d.id DESC LIMIT $2")).bind(subject).bind(limit).all(db).await
}

/// Which deliveries are listed; what is empty does not narrow them.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub endpoint_id: Option<EndpointId>,
    pub status: Option<Status>,
}

/// The newest first, before the cursor.
pub async fn list(db: &Db, filter: &Filter, before: Option<&str>, limit: usize) -> Result<Page<Stored>> {
    // Two texts, since each has an index of its own.
    let text = if filter.endpoint_id.is_some() {
        stored!(
            "WHERE d.endpoint_id = $1 AND ($2 = '' OR d.status = $2) AND d.id < $3 ORDER BY d.id DESC LIMIT $4"
        )
    } else {
        stored!("WHERE $1 = '' AND ($2 = '' OR d.status = $2) AND d.id < $3 ORDER BY d.id DESC LIMIT $4")
    };
    let rows = sql(text)
        .bind(filter.endpoint_id.as_ref().map(EndpointId::as_str).unwrap_or_default())
        .bind(filter.status.map(Status::as_str).unwrap_or_default())
        .bind(before.unwrap_or(DeliveryId::BEYOND))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1)
        .all(db)
        .await?;
    Ok(Page::from_rows(rows, limit, |row: &Stored| row.id.to_string()))
}

/// How many deliveries are in one state.
#[derive(Debug, Clone)]
pub struct Count {
    pub status: Status,
    pub count: i64,
}
row!(Count { status, count });

/// All deliveries by their state.
pub async fn counts(db: &Db) -> Result<Vec<Count>> {
    sql("SELECT status, COUNT(*) AS count FROM deliveries GROUP BY status").all(db).await
}

/// How many deliveries of one endpoint are in one state.
#[derive(Debug, Clone)]
pub struct CountOf {
    pub endpoint_id: EndpointId,
    pub status: Status,
    pub count: i64,
}
row!(CountOf { endpoint_id, status, count });

/// Deliveries by their endpoint and state, of the endpoints from one id to another, both included.
pub async fn counts_of(db: &Db, from: &EndpointId, to: &EndpointId) -> Result<Vec<CountOf>> {
    sql("SELECT endpoint_id, status, COUNT(*) AS count FROM deliveries
         WHERE endpoint_id >= $1 AND endpoint_id <= $2 GROUP BY endpoint_id, status")
    .bind(from)
    .bind(to)
    .all(db)
    .await
}

#[derive(Debug)]
struct Waiting {
    count: i64,
}
row!(Waiting { count });

/// How many are on their way.
pub async fn waiting(db: &Db) -> Result<i64> {
    let row: Option<Waiting> =
        sql("SELECT COUNT(*) AS count FROM deliveries WHERE status = 'pending'").optional(db).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// One try of a delivery.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: AttemptId,
    pub at: Timestamp,
    /// What the endpoint answered; none when it did not.
    pub status: Option<i64>,
    pub error: Option<String>,
    /// The beginning of its answer.
    pub response_sealed: Option<Vec<u8>>,
    pub duration_us: i64,
}
row!(Attempt { id, at, status, error, response_sealed, duration_us });

/// Where the beginning of an endpoint's answer stands.
pub fn response_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "delivery_attempts", column: "response_sealed", row }
}

pub async fn insert_attempt(tx: &mut Tx, delivery: &DeliveryId, attempt: &Attempt) -> Result<()> {
    sql("INSERT INTO delivery_attempts (id, delivery_id, at, status, error, response_sealed, duration_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&attempt.id)
    .bind(delivery)
    .bind(attempt.at)
    .bind(attempt.status)
    .bind(attempt.error.clone())
    .bind(attempt.response_sealed.clone())
    .bind(attempt.duration_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// The tries of a delivery, newest first.
pub async fn attempts(db: &Db, delivery: &DeliveryId, limit: i64) -> Result<Vec<Attempt>> {
    sql("SELECT id, at, status, error, response_sealed, duration_us FROM delivery_attempts
         WHERE delivery_id = $1 ORDER BY id DESC LIMIT $2")
    .bind(delivery)
    .bind(limit)
    .all(db)
    .await
}

pub async fn sealed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
    sql("SELECT a.id AS row_id, COALESCE(d.account_id, 'partner') AS scope, a.response_sealed AS sealed
         FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
         WHERE a.id > $1 AND a.response_sealed IS NOT NULL ORDER BY a.id LIMIT $2")
    .bind(after)
    .bind(limit)
    .all(tx)
    .await
}

/// Replaces the sealed value where the old one still stands.
pub async fn replace_sealed(tx: &mut Tx, id: &str, old: &[u8], new: &[u8]) -> Result<u64> {
    sql("UPDATE delivery_attempts SET response_sealed = $3 WHERE id = $1 AND response_sealed = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx)
        .await
}
