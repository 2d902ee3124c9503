//! The sweep: what is due is read from Meta, page by page, each page committed before the next is asked for.

use std::{collections::BTreeSet, pin::pin};

use adjoin_graph::{Error as GraphError, Page, Request};
use adjoin_marketing::errors::Class;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::{Pass, PassKind, SweepTrouble, interval};
use crate::{
    quota::{self, Touched},
    service::{
        App, Error, MetaError, Result, Who,
        connections::{self, Access},
        leads::{self, Sighting, Source},
        meta::{self, Line},
        subscriptions::Object,
    },
    store::{forms as table, subscriptions},
    time::Timestamp,
};

/// Forms one step takes, and how many it reads at once.
const BATCH: i64 = 16;
const AT_ONCE: usize = 4;
/// Pages of leads that one form may take of a step: a large form does not hold up the others.
const PAGES: usize = 20;
/// Leads in one of Meta's answers.
const PAGE_SIZE: u32 = 100;
/// Renewed with every page.
const LEASE_SECONDS: i64 = 5 * 60;
/// Nothing is planned further ahead: Meta's limits are waited for a day at most.
const LATEST_SECONDS: i64 = 25 * 60 * 60;
/// What Meta refuses is tried again after this; a mended subscription makes it due before.
const REFUSED_SECONDS: i64 = 60 * 60;
/// A token that was refused is its connection's trouble; the form waits for that to be settled.
const TOKEN_SECONDS: i64 = 5 * 60;

/// Sweeps what is due. True when there may be more.
pub(super) async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    let mut tx = app.db.begin_apart().await?;
    let due = table::claim(&mut tx, now, lease, now.plus_seconds(LATEST_SECONDS), BATCH).await?;
    tx.commit().await?;
    let full = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let mut sweeps = stream::iter(due).map(|form| sweep(app, form, lease)).buffer_unordered(AT_ONCE);
    let (mut more, mut failed) = (full, None);
    while let Some(outcome) = sweeps.next().await {
        match outcome {
            Ok(unfinished) => more |= unfinished,
            // One that fails does not hold up the others; its lease ends by itself.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(more), Err)
}

/// How a turn at a form ended.
enum End {
    /// The last page is committed.
    Complete,
    /// There is more, and others have their turn first.
    Turn,
    /// Somebody else took the form over, or it is gone.
    Lost,
    /// The Page's token was dead and is forgotten.
    DeadToken,
    Failed {
        trouble: SweepTrouble,
        wait: Wait,
    },
}

enum Wait {
    Seconds(i64),
    /// Longer each time.
    Backoff,
}

/// What of a page's leads is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// With all that the page says of them.
    Whole,
    /// That they are there; the hydrator reads each.
    Sighted,
}

/// One form, held by this lease.
struct Held<'a> {
    app: &'a App,
    form: table::Stored,
    lease: Timestamp,
    usage_percent: Option<f64>,
    /// The form's test leads, once asked for in this turn.
    tests: Option<BTreeSet<String>>,
}

/// One turn at a form. True when its pass is not finished.
async fn sweep(app: &App, form: table::Stored, lease: Timestamp) -> Result<bool> {
    let mut held = Held { app, form, lease, usage_percent: None, tests: None };
    let mut end = held.turn().await?;
    if matches!(end, End::DeadToken) {
        // Another one is made; whether the consent behind it lives shows in asking for it.
        end = held.turn().await?;
    }
    held.settle(end).await
}

impl Held<'_> {
    async fn turn(&mut self) -> Result<End> {
        let (account, connection) = (&self.form.account_id, &self.form.connection_id);
        match connections::page_access(self.app, account, connection, &self.form.page_id).await {
            Ok(access) => self.read(&access).await,
            Err(error @ (Error::Store(_) | Error::Vault(_))) => Err(error),
            Err(error) => Ok(self.no_access(error)),
        }
    }

    async fn read(&mut self, access: &Access) -> Result<End> {
        let line = Line {
            app: self.app,
            graph: access.graph.clone(),
            token: access.token.clone(),
            touched: Touched::page(&self.form.page_id, &self.form.connection_id),
        };
        if let Err(parked) = line.room() {
            let seconds = (parked.until.unix() - self.app.clock.now().unix()).max(1);
            return Ok(End::Failed {
                trouble: self.trouble(parked.why, Who::Meta, "it goes on by itself when Meta's limit ends"),
                wait: Wait::Seconds(seconds),
            });
        }
        if !self.begin().await? {
            return Ok(End::Lost);
        }
        // A stored cursor may have gone stale, and fields may be refused: they are given up.
        loop {
            match self.read_on(&line).await? {
                Ok(end) => return Ok(end),
                Err(error) => {
                    line.observe_failure(&error);
                    if self.give_up_something(&error).await? {
                        tracing::info!(form_id = self.form.form_id, %error, "the sweep asks anew, for less");
                        continue;
                    }
                    return self.failed(access, &error).await;
                }
            }
        }
    }

    /// Begins the pass that is due, or goes on with the one that was cut off. False: the form is somebody else's.
    async fn begin(&mut self) -> Result<bool> {
        let mut tx = self.app.db.begin_apart().await?;
        let Some(mut row) = self.still_ours(&mut tx).await? else { return Ok(false) };
        row.sweep.0.begin(row.watermark, self.app.clock.now());
        table::put_sweep(&mut tx, &row).await?;
        tx.commit().await?;
        self.form = row;
        Ok(true)
    }

    /// Reads pages from where the pass is. The inner error is Meta's.
    async fn read_on(&mut self, line: &Line<'_>) -> Result<std::result::Result<End, GraphError>> {
        let Some(pass) = &self.form.sweep.0.pass else { return Ok(Ok(End::Lost)) };
        let request = request(&self.form.form_id, pass);
        let mut pages = pin!(line.graph.pages::<Value>(request, line.token.clone()));
        for _ in 0..PAGES {
            match pages.try_next().await {
                Ok(None) => return Ok(Ok(End::Complete)),
                Ok(Some(page)) => {
                    line.observe(&page.usage);
                    self.usage_percent = percent(&page.usage).or(self.usage_percent);
                    if self.tests.is_none() && page.data.iter().any(leads::maybe_a_test) {
                        let form_id = self.form.form_id.as_str();
                        self.tests = Some(leads::test_leads(line, [form_id]).await);
                    }
                    let committed = match self.commit(&page, Depth::Whole).await {
                        // One that cannot be stored must not keep the form back: each is read on its own then.
                        Err(Error::Store(error)) if error.is_about_data() => {
                            tracing::warn!(
                                error = &error as &dyn std::error::Error,
                                "a page's leads are read one by one"
                            );
                            self.commit(&page, Depth::Sighted).await?
                        }
                        outcome => outcome?,
                    };
                    if !committed {
                        return Ok(Ok(End::Lost));
                    }
                    if !page.has_next {
                        return Ok(Ok(End::Complete));
                    }
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(End::Turn))
    }

    /// Commits the leads of one page with how far the pass is. False: the form is somebody else's.
    async fn commit(&mut self, page: &Page<Value>, depth: Depth) -> Result<bool> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin_apart().await?;
        let Some(mut row) = self.still_ours(&mut tx).await? else { return Ok(false) };
        let watermark = row.watermark;
        let Some(pass) = row.sweep.0.pass.as_mut() else { return Ok(false) };
        let source = if pass.kind == PassKind::Backfill { Source::Backfill } else { Source::Sweep };
        // In one order, and all of them before any event takes its number: who sorts webhooks or hydrates the same leads
        // does not wait for us while we wait for them.
        let mut found: Vec<Found<'_>> = page.data.iter().filter_map(Found::read).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for lead in &found {
            let sighting = Sighting {
                account_id: row.account_id.clone(),
                meta_lead_id: lead.id.clone(),
                page_id: row.page_id.clone(),
                form_id: row.form_id.clone(),
                ad_id: lead.ad_id.clone(),
                submitted_at: lead.submitted_at,
                source,
                at: now,
                detail: None,
            };
            let seen = leads::sight(self.app, &mut tx, sighting).await?;
            pass.saw(lead.submitted_at, seen.is_new, watermark);
        }
        let mut told = false;
        for lead in found.iter().filter(|_| depth == Depth::Whole) {
            let is_test = self.tests.as_ref().is_some_and(|tests| tests.contains(&lead.id));
            told |=
                leads::fill(self.app, &mut tx, &row.account_id, &lead.id, lead.whole, is_test, now).await?;
        }
        pass.cursor = page.after.clone().filter(|_| page.has_next);
        let lease = now.plus_seconds(LEASE_SECONDS).max(self.lease);
        row.leased_until = Some(lease);
        table::put_sweep(&mut tx, &row).await?;
        tx.commit().await?;
        self.lease = lease;
        self.form = row;
        if told {
            self.app.wakes.deliver.notify_one();
        }
        if depth == Depth::Sighted {
            self.app.wakes.hydrate.notify_one();
        }
        Ok(true)
    }

    /// The row as it stands, held, if the lease is still this one.
    async fn still_ours(&self, tx: &mut crate::store::Tx) -> Result<Option<table::Stored>> {
        let row = table::by_id_for_update(tx, &self.form.account_id, &self.form.form_id).await?;
        Ok(row.filter(|row| row.leased_until == Some(self.lease)))
    }

    /// Asks for less after a refusal that may mean the cursor or the fields. False when there is nothing to give up.
    async fn give_up_something(&mut self, error: &GraphError) -> Result<bool> {
        let mut tx = self.app.db.begin_apart().await?;
        let Some(mut row) = self.still_ours(&mut tx).await? else { return Ok(false) };
        let Some(pass) = row.sweep.0.pass.as_mut() else { return Ok(false) };
        let circle = matches!(error, GraphError::PagingLoop { .. });
        let too_much = leads::asks_too_much(error);
        let code = error.refusal().and_then(|refusal| refusal.code);
        if pass.cursor.is_some() && (circle || too_much && code == Some(100)) {
            pass.cursor = None;
        } else if let (true, Some(fewer)) = (too_much, pass.fields.fewer()) {
            pass.fields = fewer;
        } else {
            return Ok(false);
        }
        table::put_sweep(&mut tx, &row).await?;
        tx.commit().await?;
        self.form = row;
        Ok(true)
    }

    /// What a failure at Meta means for the form.
    async fn failed(&self, access: &Access, error: &GraphError) -> Result<End> {
        let explained = MetaError::explain(error);
        let trouble = self.trouble(explained.message, explained.who, &explained.next_step);
        let Some(refusal) = error.refusal() else { return Ok(End::Failed { trouble, wait: Wait::Backoff }) };
        let known = meta::known(refusal);
        let wait = match known.class {
            Class::Throttled { pause_seconds, .. } => Wait::Seconds(
                i64::try_from(quota::wait(&refusal.usage, pause_seconds)).unwrap_or(REFUSED_SECONDS),
            ),
            Class::Reconnect | Class::ActionOnFacebook => {
                connections::report_refusal(self.app, access, error).await?;
                if connections::is_dead_page_token(access, error) {
                    return Ok(End::DeadToken);
                }
                Wait::Seconds(TOKEN_SECONDS)
            }
            Class::Temporary | Class::Internal | Class::TooMuchData => Wait::Backoff,
            _ => {
                // The Page's subscription knows how to find out why.
                let (mut tx, now) = (self.app.db.begin_apart().await?, self.app.clock.now());
                let form = &self.form;
                subscriptions::check_soon(&mut tx, &form.account_id, Object::Page, &form.page_id, now)
                    .await?;
                tx.commit().await?;
                self.app.wakes.watch.notify_one();
                Wait::Seconds(REFUSED_SECONDS)
            }
        };
        Ok(End::Failed { trouble, wait })
    }

    /// There is no token for the Page now.
    fn no_access(&self, error: Error) -> End {
        let (message, who, next_step, wait) = match error {
            Error::NotReady { message, who, next_step } | Error::Broken { message, who, next_step } => {
                (message, who, next_step, TOKEN_SECONDS)
            }
            Error::Unpermitted { message, who, next_step } => (message, who, next_step, REFUSED_SECONDS),
            Error::Meta(error) => {
                let wait = error.retry_after.and_then(|wait| i64::try_from(wait).ok());
                (error.message, error.who, error.next_step, wait.unwrap_or(TOKEN_SECONDS))
            }
            other => (other.to_string(), Who::Partner, "look at the connection".to_owned(), TOKEN_SECONDS),
        };
        End::Failed { trouble: self.trouble(message, who, &next_step), wait: Wait::Seconds(wait) }
    }

    fn trouble(&self, message: String, who: Who, next_step: &str) -> SweepTrouble {
        let since = self.app.clock.now();
        SweepTrouble { message, who, next_step: next_step.to_owned(), since, failures: 0 }
    }

    /// Gives the form back, with when it is due next. True when its pass is not finished.
    async fn settle(&self, end: End) -> Result<bool> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin_apart().await?;
        let Some(mut row) = self.still_ours(&mut tx).await? else { return Ok(false) };
        // Asked for while we read: due at once, whatever came of this turn.
        let asked = row.sweep_at != self.form.sweep_at || row.sweep.0.backfill_days.is_some();
        let wait = match end {
            End::Lost => return Ok(false),
            End::Turn => 0,
            End::DeadToken => TOKEN_SECONDS,
            End::Complete => {
                let (watermark, wait) = row.sweep.0.complete(row.watermark, self.usage_percent, now);
                row.watermark = watermark;
                wait
            }
            End::Failed { trouble, wait } => {
                let failures = row.sweep.0.fail(trouble);
                match wait {
                    Wait::Seconds(seconds) => seconds,
                    Wait::Backoff => interval::backoff(failures - 1),
                }
            }
        };
        row.sweep_at = if asked { row.sweep_at.min(now) } else { now.plus_seconds(wait) };
        row.leased_until = None;
        table::put_sweep(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(row.sweep_at <= now)
    }
}

/// The request for the leads of a pass, from where it is.
fn request(form_id: &str, pass: &Pass) -> Request {
    // "Greater than" is the one operator that Meta's pages show for both edges, so it begins a second earlier.
    let filter =
        json!([{ "field": "time_created", "operator": "GREATER_THAN", "value": pass.since.unix() - 1 }]);
    let request = Request::get(format!("/{form_id}/leads"))
        .param("fields", pass.fields.text())
        .param("filtering", filter)
        .param("limit", PAGE_SIZE);
    match &pass.cursor {
        Some(cursor) => request.param("after", cursor.as_str()),
        None => request,
    }
}

/// A lead of one of Meta's pages, as far as it is looked into here.
struct Found<'a> {
    id: String,
    ad_id: Option<String>,
    submitted_at: Option<Timestamp>,
    whole: &'a Value,
}

impl<'a> Found<'a> {
    /// `None` for what has no id; nobody could ever ask for it.
    fn read(whole: &'a Value) -> Option<Self> {
        Some(Self {
            id: leads::id(whole.get("id"))?,
            ad_id: leads::id(whole.get("ad_id")),
            submitted_at: leads::time(whole.get("created_time")),
            whole,
        })
    }
}

/// Percent of the limit for leads that is used, when a header says so.
fn percent(usage: &adjoin_graph::Usage) -> Option<f64> {
    let rows = usage.business.iter().filter(|row| row.kind.eq_ignore_ascii_case("leadgen"));
    rows.map(|row| row.call_count.max(row.total_cputime).max(row.total_time)).reduce(f64::max)
}
