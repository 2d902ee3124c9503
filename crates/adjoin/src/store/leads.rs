use super::{Db, Json, Result, Tx, query::On, row, sql};
use crate::{
    id::{AccountId, FormVersionId, LeadId},
    service::leads::{Cause, State},
    time::Timestamp,
    vault::{Place, Scope},
};

/// A lead as it stands, without what the person wrote.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: LeadId,
    pub account_id: AccountId,
    /// Meta's id: unique in the account.
    pub meta_lead_id: String,
    pub page_id: String,
    pub form_id: String,
    pub ad_id: Option<String>,
    pub ad_set_id: Option<String>,
    pub campaign_id: Option<String>,
    pub is_organic: Option<bool>,
    pub is_test: bool,
    pub platform: Option<String>,
    pub state: Json<State>,
    pub form_version_id: Option<FormVersionId>,
    /// When the person sent it, by Meta.
    pub submitted_at: Option<Timestamp>,
    /// When we first heard of it.
    pub seen_at: Timestamp,
    pub hydrated_at: Option<Timestamp>,
    /// When an endpoint first took it.
    pub delivered_at: Option<Timestamp>,
    pub attempts: i64,
    /// When it is to be read from Meta.
    pub due_at: Option<Timestamp>,
    pub leased_until: Option<Timestamp>,
}
row!(Stored {
    id,
    account_id,
    meta_lead_id,
    page_id,
    form_id,
    ad_id,
    ad_set_id,
    campaign_id,
    is_organic,
    is_test,
    platform,
    state,
    form_version_id,
    submitted_at,
    seen_at,
    hydrated_at,
    delivered_at,
    attempts,
    due_at,
    leased_until,
});

/// The columns of [`Stored`]; with the rest of a statement, selects its rows.
macro_rules! stored {
    () => {
        "id, account_id, meta_lead_id, page_id, form_id, ad_id, ad_set_id, campaign_id, is_organic, is_test, platform, state,
         form_version_id, submitted_at, seen_at, hydrated_at, delivered_at, attempts, due_at, leased_until"
    };
    ($rest:literal) => {
        concat!("SELECT ", stored!(), " FROM leads ", $rest)
    };
}
pub(super) use stored;

/// Leases leads and answers them; `$lock` is how rows that others hold are passed over.
macro_rules! claimed {
    ($lock:literal) => {
        concat!(
            "UPDATE leads SET leased_until = $4 WHERE id IN
                 (SELECT id FROM leads WHERE due_at >= $1 AND due_at <= $2
                      AND (leased_until IS NULL OR leased_until <= $3 OR leased_until > $6)
                  ORDER BY due_at LIMIT $5",
            $lock,
            ") RETURNING ",
            stored!()
        )
    };
}

macro_rules! parked {
    ($lock:literal) => {
        concat!(
            "UPDATE leads SET due_at = $5, leased_until = NULL,
                 attempts = CASE WHEN cause = $6 THEN attempts + 1 WHEN $10 AND cause IN ('token', 'access') THEN attempts
                                 ELSE 1 END,
                 state = CASE WHEN SUBSTR(state, 1, LENGTH($9)) = $9 OR ($10 AND cause IN ('token', 'access')) THEN state
                              ELSE $7 END,
                 cause = CASE WHEN $10 AND cause IN ('token', 'access') THEN cause ELSE $6 END, status = 'parked'
             WHERE id IN
                 (SELECT id FROM leads WHERE account_id = $1 AND page_id = $2 AND due_at <= $3
                      AND status IN ('seen', 'parked', 'gone')
                      AND (leased_until IS NULL OR leased_until <= $3 OR leased_until = $4)
                  ORDER BY meta_lead_id LIMIT $8",
            $lock,
            ")"
        )
    };
}

macro_rules! due {
    ($lock:literal) => {
        // That the cause stands behind an OR keeps SQLite from going through all that have it, at each step.
        concat!(
            "UPDATE leads SET due_at = $8, leased_until = NULL WHERE id IN
                 (SELECT id FROM leads
                  WHERE account_id = $1 AND due_at IS NOT NULL AND ($2 = '' OR page_id = $2)
                      AND (page_id, meta_lead_id) > ($3, $4)
                      AND ($5 = '' OR (page_id, meta_lead_id) <= ($5, $6))
                      AND (NOT $7 OR cause IN ('token', 'access', 'gone'))",
            $lock,
            ")"
        )
    };
}

/// Where Meta's answer for a lead stands.
pub fn detail_place<'a>(scope: &'a Scope, row: &'a str) -> Place<'a> {
    Place { scope, table: "leads", column: "detail_sealed", row }
}

/// Adds a lead, unless the account has it; that of a canary as a test lead. False when it did.
pub async fn insert_if_absent(tx: &mut Tx, lead: &Stored) -> Result<bool> {
    let done = sql(
        "INSERT INTO leads (id, account_id, meta_lead_id, page_id, form_id, ad_id, is_test, status, cause,
                                       state, submitted_at, seen_at, attempts, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7 OR EXISTS (SELECT 1 FROM canaries c WHERE c.meta_lead_id = $3),
                 $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (account_id, meta_lead_id) DO NOTHING",
    )
    .bind(&lead.id)
    .bind(&lead.account_id)
    .bind(&lead.meta_lead_id)
    .bind(&lead.page_id)
    .bind(&lead.form_id)
    .bind(lead.ad_id.clone())
    .bind(lead.is_test)
    .bind(lead.state.0.name())
    .bind(lead.state.0.cause().map(str::to_owned))
    .bind(lead.state.clone())
    .bind(lead.submitted_at)
    .bind(lead.seen_at)
    .bind(lead.attempts)
    .bind(lead.due_at)
    .execute(tx)
    .await?;
    Ok(done == 1)
}

/// The lead of this id of Meta's, with its row held until the transaction ends.
pub async fn by_meta_id_for_update(
    tx: &mut Tx,
    account: &AccountId,
    meta_lead_id: &str,
) -> Result<Option<Stored>> {
    // An update that changes nothing holds the row on PostgreSQL; SQLite has one writer anyway.
    sql("UPDATE leads SET attempts = attempts WHERE account_id = $1 AND meta_lead_id = $2")
        .bind(account)
        .bind(meta_lead_id)
        .execute(tx)
        .await?;
    sql(stored!("WHERE account_id = $1 AND meta_lead_id = $2"))
        .bind(account)
        .bind(meta_lead_id)
        .optional(tx)
        .await
}

pub async fn by_id(on: impl Into<On<'_>>, account: &AccountId, id: &LeadId) -> Result<Option<Stored>> {
    sql(stored!("WHERE id = $1 AND account_id = $2")).bind(id).bind(account).optional(on).await
}

/// Writes everything that can change but Meta's answer.
pub async fn put(tx: &mut Tx, lead: &Stored) -> Result<()> {
    sql("UPDATE leads SET ad_id = $3, ad_set_id = $4, campaign_id = $5, is_organic = $6, is_test = $7, platform = $8,
             status = $9, cause = $10, state = $11, form_version_id = $12, submitted_at = $13, hydrated_at = $14,
             delivered_at = $15, attempts = $16, due_at = $17, leased_until = $18, form_id = $19
         WHERE id = $1 AND account_id = $2")
    .bind(&lead.id)
    .bind(&lead.account_id)
    .bind(lead.ad_id.clone())
    .bind(lead.ad_set_id.clone())
    .bind(lead.campaign_id.clone())
    .bind(lead.is_organic)
    .bind(lead.is_test)
    .bind(lead.platform.clone())
    .bind(lead.state.0.name())
    .bind(lead.state.0.cause().map(str::to_owned))
    .bind(lead.state.clone())
    .bind(lead.form_version_id.as_ref())
    .bind(lead.submitted_at)
    .bind(lead.hydrated_at)
    .bind(lead.delivered_at)
    .bind(lead.attempts)
    .bind(lead.due_at)
    .bind(lead.leased_until)
    .bind(&lead.form_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Replaces Meta's answer; `None` erases it.
pub async fn put_detail(tx: &mut Tx, id: &LeadId, detail_sealed: Option<Vec<u8>>) -> Result<()> {
    sql("UPDATE leads SET detail_sealed = $2 WHERE id = $1").bind(id).bind(detail_sealed).execute(tx).await?;
    Ok(())
}

#[derive(Debug)]
struct Detail {
    detail_sealed: Option<Vec<u8>>,
}
row!(Detail { detail_sealed });

/// Meta's sealed answer.
pub async fn detail(on: impl Into<On<'_>>, account: &AccountId, id: &LeadId) -> Result<Option<Vec<u8>>> {
    let row: Option<Detail> = sql("SELECT detail_sealed FROM leads WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .optional(on)
        .await?;
    Ok(row.and_then(|row| row.detail_sealed))
}

#[derive(Debug)]
struct MetaId {
    meta_lead_id: String,
}
row!(MetaId { meta_lead_id });

/// Meta's id of a lead, by which leads are held in one order.
pub async fn meta_id(tx: &mut Tx, id: &LeadId) -> Result<Option<String>> {
    let row: Option<MetaId> =
        sql("SELECT meta_lead_id FROM leads WHERE id = $1").bind(id).optional(tx).await?;
    Ok(row.map(|row| row.meta_lead_id))
}

/// Holds a lead until the transaction ends. False when what the person sent is erased or expired.
pub async fn hold_kept(tx: &mut Tx, id: &LeadId) -> Result<bool> {
    // An update that changes nothing holds the row on PostgreSQL; SQLite has one writer anyway.
    let held =
        sql("UPDATE leads SET attempts = attempts WHERE id = $1 AND status NOT IN ('erased', 'expired')")
            .bind(id)
            .execute(tx)
            .await?;
    Ok(held == 1)
}

/// An endpoint has taken the lead; the first counts.
pub async fn put_delivered(tx: &mut Tx, id: &LeadId, now: Timestamp) -> Result<()> {
    sql("UPDATE leads SET delivered_at = $2 WHERE id = $1 AND delivered_at IS NULL")
        .bind(id)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

#[derive(Debug)]
struct Version {
    id: FormVersionId,
}
row!(Version { id });

/// The form as it stands now: a form may have gone back to an older content.
pub async fn newest_version(
    tx: &mut Tx,
    account: &AccountId,
    form_id: &str,
) -> Result<Option<FormVersionId>> {
    let row: Option<Version> = sql("SELECT version_id AS id FROM forms
         WHERE account_id = $1 AND form_id = $2 AND version_id IS NOT NULL")
    .bind(account)
    .bind(form_id)
    .optional(tx)
    .await?;
    Ok(row.map(|row| row.id))
}

#[derive(Debug)]
pub struct Form {
    pub name: String,
}
row!(Form { name });

pub async fn form_name(db: &Db, account: &AccountId, form_id: &str) -> Result<Option<String>> {
    let row: Option<Form> = sql("SELECT name FROM forms WHERE account_id = $1 AND form_id = $2")
        .bind(account)
        .bind(form_id)
        .optional(db)
        .await?;
    Ok(row.map(|row| row.name))
}

#[derive(Debug)]
struct Content {
    content: String,
}
row!(Content { content });

/// A form as Meta described it when this version was seen, as JSON.
pub async fn version_content(db: &Db, account: &AccountId, id: &FormVersionId) -> Result<Option<String>> {
    let row: Option<Content> = sql("SELECT content FROM form_versions WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .optional(db)
        .await?;
    Ok(row.map(|row| row.content))
}

/// Which leads that wait are made due.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub account_id: &'a AccountId,
    /// Of one Page; empty for all.
    pub page_id: &'a str,
    /// Those alone that wait for a token or for access, or are gone.
    pub refused_only: bool,
}

/// A lead in the order in which those that wait are gone through.
#[derive(Debug, Default)]
pub struct After {
    pub page_id: String,
    pub meta_lead_id: String,
}
row!(After { page_id, meta_lead_id });

/// Makes some waiting leads due, those after one of them. Answers how many, and the lead to go on from.
pub async fn make_due(
    tx: &mut Tx,
    waiting: &Waiting<'_>,
    after: &After,
    limit: i64,
    now: Timestamp,
) -> Result<(u64, Option<After>)> {
    let last: Option<After> = sql("SELECT page_id, meta_lead_id FROM leads
         WHERE account_id = $1 AND due_at IS NOT NULL AND ($2 = '' OR page_id = $2)
             AND (page_id, meta_lead_id) > ($3, $4)
         ORDER BY page_id, meta_lead_id LIMIT 1 OFFSET $5")
    .bind(waiting.account_id)
    .bind(waiting.page_id)
    .bind(&after.page_id)
    .bind(&after.meta_lead_id)
    .bind(limit - 1)
    .optional(&mut *tx)
    .await?;
    let text = if tx.locks_rows() { due!(" ORDER BY meta_lead_id FOR UPDATE") } else { due!("") };
    let until = last.as_ref();
    let leads = sql(text)
        .bind(waiting.account_id)
        .bind(waiting.page_id)
        .bind(&after.page_id)
        .bind(&after.meta_lead_id)
        .bind(until.map_or("", |last| last.page_id.as_str()))
        .bind(until.map_or("", |last| last.meta_lead_id.as_str()))
        .bind(waiting.refused_only)
        .bind(now)
        .execute(tx)
        .await?;
    Ok((leads, last))
}

#[derive(Debug)]
struct Account {
    id: AccountId,
}
row!(Account { id });

/// Accounts with leads that wait.
pub async fn accounts_waiting(db: &Db) -> Result<Vec<AccountId>> {
    let rows: Vec<Account> =
        sql("SELECT DISTINCT account_id AS id FROM leads WHERE due_at IS NOT NULL").all(db).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// How far leases of processes whose clocks differ may be apart.
const LEASES_APART_SECONDS: i64 = 60 * 60;

/// Takes leads that are to be read, those that have waited longest first: due between the two moments, and nobody's. They
/// are nobody else's until `leased_until`.
pub async fn claim(
    tx: &mut Tx,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>> {
    // A lease that ends much later than a new one would was taken before the clock was set back.
    let text = if tx.locks_rows() { claimed!(" FOR UPDATE SKIP LOCKED") } else { claimed!("") };
    sql(text)
        .bind(from)
        .bind(until)
        .bind(now)
        .bind(leased_until)
        .bind(limit)
        .bind(leased_until.plus_seconds(LEASES_APART_SECONDS))
        .all(tx)
        .await
}

/// Holds these leads until the transaction ends, in one order, and answers those that are still there as they stand now.
pub async fn hold(tx: &mut Tx, leads: &[Stored]) -> Result<Vec<Stored>> {
    let mut leads: Vec<&Stored> = leads.iter().collect();
    leads.sort_unstable_by(|a, b| a.meta_lead_id.cmp(&b.meta_lead_id));
    let mut held = Vec::with_capacity(leads.len());
    for lead in leads {
        held.extend(by_meta_id_for_update(tx, &lead.account_id, &lead.meta_lead_id).await?);
    }
    Ok(held)
}

/// What all waiting leads of a Page wait for.
#[derive(Debug)]
pub struct Wait<'a> {
    pub account_id: &'a AccountId,
    pub page_id: &'a str,
    /// `Parked`.
    pub state: &'a State,
    pub due_at: Timestamp,
    /// Those under this lease are among them.
    pub lease: Timestamp,
    pub now: Timestamp,
}

/// Most leads that one statement parks. The others are parked when they are claimed.
const PARKED_AT_ONCE: i64 = 2000;

/// Parks the leads of a Page that are due now, those under the lease among them: what keeps one from being read keeps all.
/// Those that are parked for the same reason keep since when. Where Meta only wants calls to wait, nothing was learnt of those
/// that a token or access is wanting for: they keep that.
pub async fn park_page(tx: &mut Tx, wait: &Wait<'_>) -> Result<u64> {
    let text = if tx.locks_rows() { parked!(" FOR UPDATE SKIP LOCKED") } else { parked!("") };
    sql(text)
        .bind(wait.account_id)
        .bind(wait.page_id)
        .bind(wait.now)
        .bind(wait.lease)
        .bind(wait.due_at)
        .bind(wait.state.cause().unwrap_or_default())
        .bind(Json(wait.state.clone()))
        .bind(PARKED_AT_ONCE)
        .bind(wait.state.reason())
        .bind(matches!(wait.state, State::Parked { cause: Cause::Throttle, .. }))
        .execute(tx)
        .await
}

/// A lead of Meta's, as far as its other events need it.
#[derive(Debug)]
pub struct Known {
    pub id: LeadId,
    pub is_test: bool,
    /// Not set: whether it is a test lead is not known yet.
    pub hydrated_at: Option<Timestamp>,
    pub state: Json<State>,
}
row!(Known { id, is_test, hydrated_at, state });

/// The account's lead of this id of Meta's.
pub async fn known(tx: &mut Tx, account: &AccountId, meta_lead_id: &str) -> Result<Option<Known>> {
    sql("SELECT id, is_test, hydrated_at, state FROM leads WHERE account_id = $1 AND meta_lead_id = $2")
        .bind(account)
        .bind(meta_lead_id)
        .optional(tx)
        .await
}
