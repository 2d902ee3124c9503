use super::{Db, Json, Result, Tx, leases, row, sql};
use crate::{
    id::AccountId,
    service::{canaries::State, leads},
    time::Timestamp,
};

/// The canary of a form.
#[derive(Debug, Clone)]
pub struct Stored {
    pub account_id: AccountId,
    pub form_id: String,
    /// Whether one is sent every day.
    pub daily: bool,
    pub state: Json<State>,
    /// When the next step is.
    pub due_at: Option<Timestamp>,
    pub leased_until: Option<Timestamp>,
}
row!(Stored { account_id, form_id, daily, state, due_at, leased_until });

/// Adds the row of a form that has none.
pub async fn insert_if_absent(tx: &mut Tx, account: &AccountId, form_id: &str) -> Result<()> {
    sql("INSERT INTO canaries (account_id, form_id, daily, state) VALUES ($1, $2, FALSE, $3)
         ON CONFLICT (account_id, form_id) DO NOTHING")
    .bind(account)
    .bind(form_id)
    .bind(Json(State::default()))
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn put(tx: &mut Tx, row: &Stored) -> Result<()> {
    sql("UPDATE canaries SET daily = $3, state = $4, meta_lead_id = COALESCE($5, meta_lead_id), due_at = $6,
             leased_until = $7
         WHERE account_id = $1 AND form_id = $2")
    .bind(&row.account_id)
    .bind(&row.form_id)
    .bind(row.daily)
    .bind(row.state.clone())
    .bind(row.state.0.ours.as_ref().and_then(|ours| ours.meta_lead_id.clone()))
    .bind(row.due_at)
    .bind(row.leased_until)
    .execute(tx)
    .await?;
    Ok(())
}

pub async fn by_id(db: &Db, account: &AccountId, form_id: &str) -> Result<Option<Stored>> {
    sql("SELECT account_id, form_id, daily, state, due_at, leased_until FROM canaries
         WHERE account_id = $1 AND form_id = $2")
    .bind(account)
    .bind(form_id)
    .optional(db)
    .await
}

/// The same, with the row held until the transaction ends.
pub async fn by_id_for_update(tx: &mut Tx, account: &AccountId, form_id: &str) -> Result<Option<Stored>> {
    sql("UPDATE canaries SET daily = daily WHERE account_id = $1 AND form_id = $2
         RETURNING account_id, form_id, daily, state, due_at, leased_until")
    .bind(account)
    .bind(form_id)
    .optional(tx)
    .await
}

/// Takes canaries that are due and that nobody is at; nobody else takes them until `leased_until`. What was planned later
/// than `latest` comes from a clock that was ahead, and is due.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    latest: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    for (from, until) in leases::due(now, latest) {
        let claimed: Vec<Stored> = sql("UPDATE canaries SET leased_until = $2
             WHERE due_at >= $3 AND due_at <= $4 AND (leased_until IS NULL OR leased_until <= $1)
                 AND (account_id, form_id) IN
                 (SELECT account_id, form_id FROM canaries
                  WHERE due_at >= $3 AND due_at <= $4 AND (leased_until IS NULL OR leased_until <= $1)
                  ORDER BY due_at LIMIT $5)
             RETURNING account_id, form_id, daily, state, due_at, leased_until")
        .bind(now)
        .bind(leased_until)
        .bind(from)
        .bind(until)
        .bind(limit)
        .all(&mut *tx)
        .await?;
        if !claimed.is_empty() {
            return Ok(claimed);
        }
    }
    Ok(Vec::new())
}

/// How far a canary's lead has come here.
#[derive(Debug, Clone)]
pub struct Lead {
    pub state: Json<leads::State>,
    pub is_test: bool,
    /// When a webhook first named it.
    pub announced_at: Option<Timestamp>,
    pub hydrated_at: Option<Timestamp>,
    /// When an endpoint first took it.
    pub delivered_at: Option<Timestamp>,
    /// Endpoints that its `lead.created` is for.
    pub endpoints: i64,
}
row!(Lead { state, is_test, announced_at, hydrated_at, delivered_at, endpoints });

pub async fn lead(db: &Db, account: &AccountId, meta_lead_id: &str) -> Result<Option<Lead>> {
    sql("SELECT l.state AS state, l.is_test AS is_test, l.hydrated_at AS hydrated_at, l.delivered_at AS delivered_at,
             (SELECT s.first_at FROM lead_sightings s WHERE s.lead_id = l.id AND s.source = 'webhook') AS announced_at,
             (SELECT COUNT(*) FROM events e JOIN deliveries d ON d.event_seq = e.seq
              WHERE e.subject = l.id AND e.type = 'lead.created') AS endpoints
         FROM leads l WHERE l.account_id = $1 AND l.meta_lead_id = $2")
    .bind(account)
    .bind(meta_lead_id)
    .optional(db)
    .await
}

#[derive(Debug)]
struct Form {
    form_id: String,
}
row!(Form { form_id });

/// Whether it is the canary of any account.
pub async fn is_canary(db: &Db, meta_lead_id: &str) -> Result<bool> {
    let row: Option<Form> = sql("SELECT form_id FROM canaries WHERE meta_lead_id = $1 LIMIT 1")
        .bind(meta_lead_id)
        .optional(db)
        .await?;
    Ok(row.is_some_and(|row| !row.form_id.is_empty()))
}

/// Marks a lead that is not read yet as the test lead that it is: its webhook may have been faster than Meta's answer.
pub async fn mark_lead(tx: &mut Tx, account: &AccountId, meta_lead_id: &str) -> Result<()> {
    sql(
        "UPDATE leads SET is_test = TRUE WHERE account_id = $1 AND meta_lead_id = $2 AND hydrated_at IS NULL",
    )
    .bind(account)
    .bind(meta_lead_id)
    .execute(tx)
    .await?;
    Ok(())
}
