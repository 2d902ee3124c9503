//! The forms of a Page: listed, counted, kept by version.

use std::collections::BTreeSet;

use adjoin_graph::{Error as GraphError, Request};
use adjoin_marketing::errors::Class;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::{
    Sweep,
    content::{self, AtMeta, Fields},
};
use crate::{
    id::{AccountId, FormVersionId},
    quota::{self, Touched},
    service::{
        App, Error, Result,
        connections::{self, Access},
        meta::{self, Line},
    },
    store::{Json, form_versions, forms as table, subscriptions},
    time::Timestamp,
};

/// Pages one step takes, and how many it lists at once.
const BATCH: i64 = 8;
const AT_ONCE: usize = 2;
const LEASE_SECONDS: i64 = 15 * 60;
/// How often a Page's forms are listed and counted.
const EVERY_SECONDS: i64 = 60 * 60;
/// A reading of all leads tells what the counts mean that come so soon after it.
const FRESH_SECONDS: i64 = 2 * EVERY_SECONDS;
/// Nothing is planned further ahead: Meta's limits are waited for a day at most.
const LATEST_SECONDS: i64 = 25 * 60 * 60;
const AFTER_FAILURE_SECONDS: i64 = 10 * 60;
/// Forms in one of Meta's answers. Their questions come with them.
const PAGE_SIZE: u32 = 50;
/// Forms that one listing reads by their ids, because the list leaves them out.
const MOST_SINGLE: i64 = 200;
const SINGLE_AT_ONCE: usize = 4;
/// Leads of so many days are looked through for forms that no list showed.
const LEADS_DAYS: i64 = 7;

/// Lists what is due. True when there may be more.
pub(super) async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    let mut tx = app.db.begin_apart().await?;
    let due =
        subscriptions::claim_listings(&mut tx, now, lease, now.plus_seconds(LATEST_SECONDS), BATCH).await?;
    tx.commit().await?;
    let more = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let mut listings = stream::iter(due).map(|page| list(app, page, lease)).buffer_unordered(AT_ONCE);
    let mut failed = None;
    while let Some(outcome) = listings.next().await {
        failed = outcome.err().or(failed);
    }
    failed.map_or(Ok(more), Err)
}

async fn list(app: &App, page: subscriptions::Stored, lease: Timestamp) -> Result<()> {
    let outcome = match read_all(app, &page).await {
        // The Page's token was dead, and another one is made.
        Ok(Outcome::DeadToken) => read_all(app, &page).await,
        outcome => outcome,
    };
    let wait = match outcome {
        Ok(Outcome::Listed) => EVERY_SECONDS,
        Ok(Outcome::Wait(seconds)) => seconds,
        Ok(Outcome::DeadToken) => AFTER_FAILURE_SECONDS,
        Err(error @ (Error::Store(_) | Error::Vault(_))) => return Err(error),
        Err(error) => {
            tracing::info!(page_id = page.object_id, %error, "the forms of a Page were not listed");
            match error {
                Error::Meta(error) => error
                    .retry_after
                    .and_then(|wait| i64::try_from(wait).ok())
                    .unwrap_or(AFTER_FAILURE_SECONDS),
                _ => AFTER_FAILURE_SECONDS,
            }
        }
    };
    let mut tx = app.db.begin_apart().await?;
    let next = app.clock.now().plus_seconds(wait);
    subscriptions::settle_listing(&mut tx, &page, lease, next).await?;
    tx.commit().await?;
    Ok(())
}

/// How the listing of a Page ended.
enum Outcome {
    Listed,
    /// Meta's limit says so, in seconds.
    Wait(i64),
    /// The Page's token was dead and is forgotten.
    DeadToken,
}

/// Reads the list to its end, then what it left out.
async fn read_all(app: &App, page: &subscriptions::Stored) -> Result<Outcome> {
    let access =
        connections::page_access(app, &page.account_id, &page.connection_id, &page.object_id).await?;
    let line = Line {
        app,
        graph: access.graph.clone(),
        token: access.token.clone(),
        touched: Touched::page(&page.object_id, &page.connection_id),
    };
    if let Err(parked) = line.room() {
        return Ok(Outcome::Wait((parked.until.unix() - app.clock.now().unix()).max(1)));
    }
    let began = app.clock.now();
    let mut fields = Fields::All;
    for wanted in Fields::ALL {
        fields = wanted;
        match read_list(&line, page, fields).await {
            Ok(()) => break,
            Err(Failure::AtMeta(error)) if meta::is_bad_parameter(&error) && fields != Fields::Head => {
                tracing::info!(page_id = page.object_id, %error, "Meta refuses fields of forms; asked without them");
            }
            Err(failure) => return told(app, &access, failure).await,
        }
    }
    let left_out = table::uncounted(&app.db, &page.account_id, &page.object_id, began, MOST_SINGLE).await?;
    let since = began.plus_seconds(-LEADS_DAYS * super::pass::DAY);
    let unknown = table::unknown(&app.db, &page.account_id, &page.object_id, since, MOST_SINGLE).await?;
    let mut singles = stream::iter(left_out.into_iter().chain(unknown))
        .map(|form_id| read_single(&line, page, form_id, fields))
        .buffer_unordered(SINGLE_AT_ONCE);
    while let Some(outcome) = singles.next().await {
        match outcome {
            Ok(()) => {}
            Err(failure) => return told(app, &access, failure).await,
        }
    }
    Ok(Outcome::Listed)
}

/// Forms that are made known for the leads of one round.
const MADE_KNOWN: usize = 8;

/// Reads forms that leads name and of which no version is known here, so that the leads are told with what was asked: a form
/// may be younger than the last listing. What Meta does not show keeps no lead back.
pub async fn make_known(
    line: &Line<'_>,
    page: &subscriptions::Stored,
    forms: BTreeSet<String>,
) -> Result<()> {
    for form_id in forms.into_iter().take(MADE_KNOWN) {
        let known = table::by_id(&line.app.db, &page.account_id, &form_id).await?;
        if known.is_some_and(|form| form.version_id.is_some()) {
            continue;
        }
        if line.room().is_err() {
            break;
        }
        match read_single(line, page, form_id, Fields::All).await {
            Ok(()) => {}
            Err(Failure::Here(error)) => return Err(error),
            Err(Failure::AtMeta(error)) => {
                tracing::info!(page_id = page.object_id, %error, "a form that leads name was not read");
                break;
            }
        }
    }
    Ok(())
}

/// Most leads that get their form's first version in one transaction.
const FILLED_AT_ONCE: i64 = 2000;

/// Gives the first version of a form to its leads that were read before it was known.
async fn fill(app: &App, account: &AccountId, form_id: &str, version: &FormVersionId) -> Result<()> {
    loop {
        let mut tx = app.db.begin_apart().await?;
        let leads = form_versions::fill(&mut tx, account, form_id, version, FILLED_AT_ONCE).await?;
        tx.commit().await?;
        if i64::try_from(leads) != Ok(FILLED_AT_ONCE) {
            return Ok(());
        }
    }
}

enum Failure {
    AtMeta(GraphError),
    Here(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Self {
        Self::Here(error.into())
    }
}

/// What a failure at Meta means for the listing; a dead token is told to its connection.
async fn told(app: &App, access: &Access, failure: Failure) -> Result<Outcome> {
    let error = match failure {
        Failure::AtMeta(error) => error,
        Failure::Here(error) => return Err(error),
    };
    let Some(refusal) = error.refusal() else { return Err(error.into()) };
    let known = meta::known(refusal);
    match known.class {
        Class::Throttled { pause_seconds, .. } => {
            let seconds = quota::wait(&refusal.usage, pause_seconds);
            Ok(Outcome::Wait(i64::try_from(seconds).unwrap_or(EVERY_SECONDS)))
        }
        Class::Reconnect | Class::ActionOnFacebook => {
            connections::report_refusal(app, access, &error).await?;
            if connections::is_dead_page_token(access, &error) {
                return Ok(Outcome::DeadToken);
            }
            Err(error.into())
        }
        _ => Err(error.into()),
    }
}

async fn read_list(
    line: &Line<'_>,
    page: &subscriptions::Stored,
    fields: Fields,
) -> std::result::Result<(), Failure> {
    let request = Request::get(format!("/{}/leadgen_forms", page.object_id))
        .param("fields", fields.text())
        .param("limit", PAGE_SIZE);
    let mut pages = std::pin::pin!(line.graph.pages::<AtMeta>(request, line.token.clone()));
    loop {
        match pages.try_next().await {
            Ok(None) => return Ok(()),
            Ok(Some(answer)) => {
                line.observe(&answer.usage);
                keep(line.app, page, &answer.data).await?;
            }
            Err(error) => {
                line.observe_failure(&error);
                return Err(Failure::AtMeta(error));
            }
        }
    }
}

/// A form that the list leaves out: an archived one, perhaps.
async fn read_single(
    line: &Line<'_>,
    page: &subscriptions::Stored,
    form_id: String,
    fields: Fields,
) -> std::result::Result<(), Failure> {
    let request = Request::get(format!("/{form_id}")).param("fields", fields.text());
    let form = match line.send(&request).await.and_then(|answer| answer.parse::<AtMeta>()) {
        Ok(form) => form,
        // It is gone, or not to be seen. Its sweep tells why; its counts stay as they were.
        Err(GraphError::Refused(refusal)) if refusal.code == Some(100) || refusal.code == Some(803) => {
            return Ok(());
        }
        Err(error) => return Err(Failure::AtMeta(error)),
    };
    // Leads name the Page, and a form is read only through its own.
    let of_page = form.page_id.as_ref().is_none_or(|id| match id {
        Value::String(id) => *id == page.object_id,
        other => *other == page.object_id.parse::<u64>().unwrap_or_default(),
    });
    if of_page {
        keep(line.app, page, &[form]).await?;
    }
    Ok(())
}

/// Writes down what Meta said of these forms, in one transaction. A new form is due for its backfill at once.
async fn keep(app: &App, page: &subscriptions::Stored, forms: &[AtMeta]) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let (mut found_new, mut first) = (false, Vec::new());
    for form in forms {
        let known = table::by_id_for_update(&mut tx, &page.account_id, &form.id).await?;
        let is_new = known.is_none();
        let mut row = known.unwrap_or_else(|| table::Stored {
            account_id: page.account_id.clone(),
            form_id: form.id.clone(),
            page_id: page.object_id.clone(),
            connection_id: page.connection_id.clone(),
            name: String::new(),
            status: String::new(),
            version_id: None,
            counts: Json::default(),
            counted_at: None,
            watermark: None,
            sweep: Json(Sweep::of_new_form()),
            sweep_at: now,
            leased_until: None,
            created_at: now,
        });
        row.connection_id = page.connection_id.clone();
        row.page_id.clone_from(&page.object_id);
        row.name = form.name.clone().unwrap_or(row.name);
        row.status = form.status.clone().unwrap_or(row.status);
        let mut counts = form.counts();
        let whole = row.sweep.0.last_whole.as_ref();
        let fresh = whole.filter(|done| done.finished_at.plus_seconds(FRESH_SECONDS) >= now);
        counts.learn(&row.counts.0, fresh.map(|done| done.read));
        row.counts = Json(counts);
        row.counted_at = Some(now);
        if let Some(content) = form.content() {
            let hash = content::hash(&content);
            let version =
                form_versions::get_or_insert(&mut tx, &row.account_id, &row.form_id, &hash, content, now)
                    .await?;
            if row.version_id.replace(version.clone()).is_none() {
                first.push((form.id.as_str(), version));
            }
        }
        if is_new {
            table::insert(&mut tx, &row).await?;
        } else {
            table::put_listed(&mut tx, &row).await?;
        }
        found_new |= is_new;
    }
    tx.commit().await?;
    for (form_id, version) in first {
        fill(app, &page.account_id, form_id, &version).await?;
    }
    if found_new {
        app.wakes.sweep.notify_one();
    }
    Ok(())
}
