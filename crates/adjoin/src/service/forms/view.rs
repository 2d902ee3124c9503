//! What partners see of forms, and what they ask for.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Counts, Done, KEPT_DAYS, PassKind, SweepTrouble};
use crate::{
    audit::Actor,
    id::{AccountId, FormVersionId},
    service::{
        App, Error, Result, accounts,
        canaries::{self, Canary},
        subscriptions::Object,
    },
    store::{Page, audit, form_versions, forms as table, subscriptions},
    time::Timestamp,
};

/// Most forms one page holds.
pub const PAGE_MAX: usize = 100;
/// Versions of a form that are shown.
const VERSIONS: i64 = 50;
/// Forms that go into the totals.
const TOTALLED: i64 = 20_000;

/// A lead form of one of the account's Pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Form {
    /// Meta's id.
    pub form_id: String,
    /// Meta's id.
    pub page_id: String,
    pub name: String,
    /// Meta's word: `ACTIVE`, `ARCHIVED`, `DELETED`, `DRAFT`.
    pub status: String,
    /// What leads answer now. `None` until Meta has told.
    pub version_id: Option<FormVersionId>,
    pub completeness: Completeness,
    pub sweep: SweepView,
    pub created_at: Timestamp,
}

/// "Meta says N, we hold M, missing K."
///
/// What is missing is reckoned for the moment at which Meta counted: of its count, less those that are known here, were sent
/// before that moment and are not older than the 90 days that Meta keeps leads. Meta does not document what its counters count
/// (test leads, deleted leads), how soon, or whether its count holds the expired ones, so there are two bounds: **none is
/// missing when `missing_at_most` is zero**, and some are when `missing` is not. The bounds meet while nothing has expired, and
/// once a reading of all that Meta shows of the form has told what its count holds. Leads that are `gone` do not count as known,
/// or each would hide one that is missing; where Meta still counts them they stand among the missing ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Completeness {
    /// Leads by Meta's count.
    pub at_meta: Option<i64>,
    /// Those that came without an ad, by Meta's count.
    pub organic: Option<i64>,
    /// Those that Meta no longer gives out, by its count.
    pub expired: Option<i64>,
    /// Leads that were read whole, test leads apart. Those that were erased since count: they were here.
    pub held: i64,
    /// Leads that were announced and could not be read yet.
    pub waiting: i64,
    /// Leads that were announced and that Meta does not have, or no longer, though the Page's leads can be read.
    pub gone: i64,
    /// Leads that were announced and erased here on request before they were read. They are known, and not missing.
    pub erased_unread: i64,
    /// At least so many are missing; null when Meta has told no count.
    pub missing: Option<i64>,
    /// At most so many are missing; null when Meta has told no count.
    pub missing_at_most: Option<i64>,
    /// When Meta counted.
    pub counted_at: Option<Timestamp>,
}

impl Completeness {
    fn of(counts: &Counts, here: table::Here, counted_at: Option<Timestamp>) -> Self {
        let missing = counts.missing(here.known());
        let table::Here { held, waiting, gone, erased_unread, .. } = here;
        Self {
            at_meta: counts.leads,
            organic: counts.organic,
            expired: counts.expired,
            held,
            waiting,
            gone,
            erased_unread,
            missing: missing.map(|it| it.at_least),
            missing_at_most: missing.map(|it| it.at_most),
            counted_at,
        }
    }
}

/// How far the sweep of a form is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SweepView {
    /// When the form is swept next. It waits longer while its connection cannot be used.
    pub next_at: Timestamp,
    /// Seconds from pass to pass, as they are now; 0 before the first.
    pub every_seconds: i64,
    /// When the newest lead was submitted up to which nothing is unread.
    pub watermark: Option<Timestamp>,
    /// The pass under way, and how many leads it has read.
    pub under_way: Option<PassKind>,
    pub read: i64,
    /// The last pass that was completed.
    pub last: Option<Done>,
    /// Why the last try failed.
    pub trouble: Option<SweepTrouble>,
}

/// A form with its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FormDetail {
    #[serde(flatten)]
    pub form: Form,
    /// Newest first. At most 50.
    pub versions: Vec<FormVersion>,
    /// Null where none was ever asked for.
    pub canary: Option<Canary>,
}

/// A form as it stood when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FormVersion {
    pub id: FormVersionId,
    /// When it was first read.
    pub seen_at: Timestamp,
    /// Meta's JSON of what leads answer: questions, legal content, language ...
    pub content: Value,
}

/// All forms of an account together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    pub forms: i64,
    /// Leads by Meta's count, of the forms that it counted.
    pub at_meta: i64,
    /// Those that Meta no longer gives out, by its count.
    pub expired: i64,
    /// Leads that were read whole, test leads apart.
    pub held: i64,
    /// Leads that were announced and could not be read yet.
    pub waiting: i64,
    /// Leads that were announced and that Meta does not have, or no longer.
    pub gone: i64,
    /// Leads that were erased here before they were read.
    pub erased_unread: i64,
    /// At least so many are missing: the sum over the forms.
    pub missing: i64,
    /// At most so many are missing: the sum over the forms.
    pub missing_at_most: i64,
    /// Forms that Meta has told no count of.
    pub uncounted: i64,
}

/// A page of forms, and the totals of all.
#[derive(Debug)]
pub struct Forms {
    pub page: Page<Form>,
    pub totals: Totals,
}

/// The account's forms in the order of their ids; `page_id` narrows them to one Page.
pub async fn list(
    app: &App,
    account: &AccountId,
    page_id: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Forms> {
    accounts::get(app, account).await?;
    let limit = limit.clamp(1, PAGE_MAX);
    let asked = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let rows =
        table::of_account(&app.db, account, page_id.unwrap_or_default(), after.unwrap_or_default(), asked)
            .await?;
    let rows = Page::from_rows(rows, limit, |row: &table::Stored| row.form_id.clone());
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(view(app, row).await?);
    }
    Ok(Forms { page: Page { items, next: rows.next }, totals: totals(app, account).await? })
}

async fn totals(app: &App, account: &AccountId) -> Result<Totals> {
    let mut totals = Totals::default();
    for row in table::counted(&app.db, Some(account), TOTALLED).await? {
        let one = Completeness::of(&row.counts.0, row.here, None);
        totals.forms += 1;
        totals.at_meta += one.at_meta.unwrap_or(0);
        totals.expired += one.expired.unwrap_or(0);
        totals.held += one.held;
        totals.waiting += one.waiting;
        totals.gone += one.gone;
        totals.erased_unread += one.erased_unread;
        totals.missing += one.missing.unwrap_or(0);
        totals.missing_at_most += one.missing_at_most.unwrap_or(0);
        totals.uncounted += i64::from(one.at_meta.is_none());
    }
    Ok(totals)
}

async fn view(app: &App, row: table::Stored) -> Result<Form> {
    let here = table::here(&app.db, &row).await?;
    let mut sweep = row.sweep.0;
    if let Some(trouble) = &mut sweep.trouble {
        name_cause(app, &row.account_id, &row.page_id, trouble).await?;
    }
    Ok(Form {
        completeness: Completeness::of(&row.counts.0, here, row.counted_at),
        form_id: row.form_id,
        page_id: row.page_id,
        name: row.name,
        status: row.status,
        version_id: row.version_id,
        sweep: SweepView {
            next_at: row.sweep_at,
            every_seconds: sweep.every_seconds,
            watermark: row.watermark,
            under_way: sweep.pass.as_ref().map(|pass| pass.kind),
            read: sweep.pass.as_ref().map_or(0, |pass| pass.read),
            last: sweep.last,
            trouble: sweep.trouble,
        },
        created_at: row.created_at,
    })
}

/// Says of a sweep that failed what the look at its Page has found out: a refusal alone does not tell why.
async fn name_cause(app: &App, account: &AccountId, page_id: &str, trouble: &mut SweepTrouble) -> Result<()> {
    let page = subscriptions::staying(&app.db, account, Object::Page, page_id).await?;
    let state = page.map(|page| page.state.0);
    if let Some(fault) = state.as_ref().and_then(|state| state.fault())
        && fault.cause.withholds_leads()
    {
        trouble.message.clone_from(&fault.message);
        trouble.who = fault.who;
        trouble.next_step.clone_from(&fault.next_step);
    }
    Ok(())
}

const NOT_FOUND: Error = Error::NotFound { what: "the form" };

/// A form of this account. One of another account is not found.
pub async fn get(app: &App, account: &AccountId, form_id: &str) -> Result<FormDetail> {
    let row = table::by_id(&app.db, account, form_id).await?.ok_or(NOT_FOUND)?;
    let versions = form_versions::of_form(&app.db, account, form_id, VERSIONS).await?;
    let versions = versions
        .into_iter()
        .map(|row| FormVersion { id: row.id, seen_at: row.seen_at, content: row.content.0 })
        .collect();
    let canary = canaries::get(app, account, form_id).await?;
    Ok(FormDetail { form: view(app, row).await?, versions, canary })
}

/// Reads the last days of a form's leads again, at once.
pub async fn backfill(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    form_id: &str,
    days: i64,
) -> Result<Form> {
    if !(1..=KEPT_DAYS).contains(&days) {
        return Err(Error::invalid(
            "days",
            "Meta does not keep leads longer than 90 days",
            format!("a whole number from 1 to {KEPT_DAYS}"),
        ));
    }
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let mut row = table::by_id_for_update(&mut tx, account, form_id).await?.ok_or(NOT_FOUND)?;
    let wider = row.sweep.0.backfill_days.unwrap_or(0).max(days);
    row.sweep.0.backfill_days = Some(wider);
    row.sweep_at = now;
    table::put_sweep(&mut tx, &row).await?;
    let detail = json!({ "account": account, "days": days });
    audit::insert(&mut tx, actor, "form.backfill_asked", form_id, detail, now).await?;
    tx.commit().await?;
    app.wakes.sweep.notify_one();
    view(app, row).await
}

/// Has a Page's forms listed at once: one was made or changed through us. Without it that is noticed within the hour, so a
/// failure here is only logged.
pub async fn list_soon(app: &App, account: &AccountId, page_id: &str) {
    let due = async {
        let mut tx = app.db.begin_apart().await?;
        subscriptions::list_soon(&mut tx, account, page_id, app.clock.now()).await?;
        tx.commit().await
    };
    match due.await {
        Ok(()) => app.wakes.sweep.notify_one(),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(page_id, error, "a Page's forms are not listed at once");
        }
    }
}

/// Makes all forms of the account due, and its Pages' lists of forms. Answers how many forms are known.
pub async fn sweep_all(app: &App, actor: &Actor, account: &AccountId) -> Result<u64> {
    accounts::get(app, account).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let forms = table::sweep_account(&mut tx, account, now).await?;
    subscriptions::list_all(&mut tx, account, now).await?;
    audit::insert(&mut tx, actor, "forms.sweep_asked", account.as_str(), json!({ "forms": forms }), now)
        .await?;
    tx.commit().await?;
    app.wakes.sweep.notify_one();
    Ok(forms)
}
