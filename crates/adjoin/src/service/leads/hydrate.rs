//! Reading leads from Meta. A lead that cannot be read is parked by its cause and read when the cause ends; whatever
//! signals that is only the faster way, since every parked lead is also tried again by its clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use adjoin_graph::Batch;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::{
    State, detail, expiry,
    read::{self, Answered, LeadAccess},
    sight,
    trouble::{Kind, Trouble},
};
use crate::{
    id::AccountId,
    quota::Touched,
    random,
    service::{App, Result, Who, connections, connections::Access, forms, meta::Line, subscriptions::Object},
    store::{
        Json, Tx, connections as connections_table, lead_parks, leads as table, subscriptions as subscribed,
    },
    time::Timestamp,
};

/// Leads one step takes, and how many batches of them it reads at once.
const CLAIMED: i64 = 400;
const AT_ONCE: usize = 8;
/// A round of calls is a few, each of 30 seconds at most, with the client's own retries.
const LEASE_SECONDS: i64 = 10 * 60;

/// A dead token or missing access is looked at again after so long, though nobody said that it changed.
const REFUSED_SECONDS: i64 = 60 * 60;
/// What Meta does not show, although it would: it may show it late.
const LATE_SECONDS: i64 = 10 * 60;
const GONE_SECONDS: i64 = 24 * 60 * 60;
/// The first wait after a failure that passes, doubled up to the longest.
const PASSING_SECONDS: i64 = 15;
const PASSING_LONGEST: i64 = 60 * 60;
/// Nothing here is ever put off for longer: what is, was so before the clock was set back.
const LONGEST_WAIT_SECONDS: i64 = 25 * 60 * 60;

/// Reads what is due. True when there may be more.
pub(super) async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    let mut tx = app.db.begin_apart().await?;
    let due = (Timestamp::from_unix(0), now);
    let mut claimed = table::claim(&mut tx, due, now, lease, CLAIMED).await?;
    if claimed.is_empty() {
        let put_off = (now.plus_seconds(LONGEST_WAIT_SECONDS), Timestamp::from_unix(i64::from(u32::MAX)));
        claimed = table::claim(&mut tx, put_off, now, lease, CLAIMED).await?;
    }
    tx.commit().await?;
    let more = i64::try_from(claimed.len()) == Ok(CLAIMED);
    let mut rounds =
        stream::iter(by_page(claimed)).map(|round| hydrate(app, round, lease)).buffer_unordered(AT_ONCE);
    // One that fails does not hold up the others; its lease ends by itself.
    let mut failed = None;
    while let Some(outcome) = rounds.next().await {
        failed = outcome.err().or(failed);
    }
    failed.map_or(Ok(more), Err)
}

/// Leads of one Page, as many as one call can ask for.
fn by_page(claimed: Vec<table::Stored>) -> Vec<Vec<table::Stored>> {
    let mut pages: BTreeMap<(String, String), Vec<table::Stored>> = BTreeMap::new();
    for lead in claimed {
        pages.entry((lead.account_id.to_string(), lead.page_id.clone())).or_default().push(lead);
    }
    let mut rounds = Vec::new();
    for leads in pages.into_values() {
        let mut leads = leads.into_iter().peekable();
        while leads.peek().is_some() {
            rounds.push(leads.by_ref().take(Batch::MAX_ITEMS).collect());
        }
    }
    rounds
}

/// What a round at some leads of one Page brought.
#[derive(Debug, Default)]
struct Found {
    /// By Meta's id of the lead.
    read: BTreeMap<String, Value>,
    /// Those among them that Meta lists as test leads.
    tests: BTreeSet<String>,
    /// Leads that could not be read, each for its own reason.
    alone: BTreeMap<String, Trouble>,
    /// What keeps all leads of the Page from being read.
    of_page: Option<Trouble>,
    /// Meta says that the leads of the Page can be read.
    access_proven: bool,
}

async fn hydrate(app: &App, leads: Vec<table::Stored>, lease: Timestamp) -> Result<()> {
    let Some(first) = leads.first() else { return Ok(()) };
    let (account, page_id) = (first.account_id.clone(), first.page_id.clone());
    let found = match ask(app, &account, &page_id, &leads).await? {
        Ok(found) => found,
        // Another token is made. Whether the consent behind it lives shows in that.
        Err(DeadPageToken { .. }) => {
            ask(app, &account, &page_id, &leads).await?.unwrap_or_else(|dead| Found {
                of_page: Some(Trouble {
                    kind: Kind::Token,
                    message: "Meta refuses the Page's token, also a new one".to_owned(),
                    who: Who::Account,
                    next_step: "let somebody of the account who has a role on the Page connect again"
                        .to_owned(),
                    code: dead.code,
                    subcode: dead.subcode,
                }),
                ..Found::default()
            })
        }
    };
    let round = Round { app, account: &account, page_id: &page_id, lease };
    if let Err(error) = round.settle(&leads, &found).await {
        // One that cannot be stored must not keep the others back.
        tracing::warn!(error = &error as &dyn std::error::Error, "leads are stored one by one");
        let mut outcome = Ok(());
        for lead in &leads {
            outcome = round.settle(std::slice::from_ref(lead), &found).await.and(outcome);
        }
        return outcome;
    }
    Ok(())
}

/// The Page's token was dead and is forgotten.
struct DeadPageToken {
    code: Option<i64>,
    subcode: Option<i64>,
}

/// Asks Meta.
async fn ask(
    app: &App,
    account: &AccountId,
    page_id: &str,
    leads: &[table::Stored],
) -> Result<std::result::Result<Found, DeadPageToken>> {
    let of_page = |trouble| Ok(Ok(Found { of_page: Some(trouble), ..Found::default() }));
    let Some(page) = subscribed::staying(&app.db, account, Object::Page, page_id).await? else {
        return of_page(unreached(app, account, page_id).await?);
    };
    let access = match connections::page_access(app, account, &page.connection_id, page_id).await {
        Ok(access) => access,
        Err(error) => return of_page(Trouble::of_access(error)?),
    };
    let line = Line {
        app,
        graph: access.graph.clone(),
        token: access.token.clone(),
        touched: Touched::page(page_id, &page.connection_id),
    };
    if let Err(parked) = line.room() {
        return of_page(Trouble {
            kind: Kind::Throttle { seconds: (parked.until.unix() - app.clock.now().unix()).max(1) },
            message: parked.why,
            who: Who::Meta,
            next_step: "it is read by itself when Meta's limit ends".to_owned(),
            code: None,
            subcode: None,
        });
    }
    let ids: Vec<&str> = leads.iter().map(|lead| lead.meta_lead_id.as_str()).collect();
    let read = read::leads(&line, &ids).await;
    if let Some(error) = &read.dead_token {
        connections::report_refusal(app, &access, error).await?;
        if connections::is_dead_page_token(&access, error) {
            let refusal = error.refusal();
            return Ok(Err(DeadPageToken {
                code: refusal.and_then(|refusal| refusal.code),
                subcode: refusal.and_then(|refusal| refusal.subcode),
            }));
        }
    }
    let found = sorted(&line, &access, page_id, leads, read.answers).await;
    let named = leads.iter().filter_map(|lead| form_of(lead, found.read.get(&lead.meta_lead_id)?));
    forms::make_known(&line, &page, named.collect()).await?;
    Ok(Ok(found))
}

/// Of which form a lead is: a webhook may have named none.
fn form_of(lead: &table::Stored, answer: &Value) -> Option<String> {
    let named = Some(lead.form_id.clone()).filter(|id| !id.is_empty());
    named.or_else(|| detail::id(answer.get("form_id")))
}

/// Tells what is of the Page from what is of one lead.
async fn sorted(
    line: &Line<'_>,
    access: &Access,
    page_id: &str,
    leads: &[table::Stored],
    answers: Vec<Answered>,
) -> Found {
    let (mut found, mut forms) = (Found::default(), BTreeSet::new());
    for (lead, answer) in leads.iter().zip(answers) {
        match answer {
            Ok(answer) => {
                if lead.ad_id.is_none() && detail::maybe_a_test(&answer) {
                    forms.extend(form_of(lead, &answer));
                }
                found.read.insert(lead.meta_lead_id.clone(), answer);
            }
            Err(refusal) if refusal.trouble.is_of_page() => found.of_page = Some(refusal.trouble),
            Err(refusal) => {
                found.alone.insert(lead.meta_lead_id.clone(), refusal.trouble);
            }
        }
    }
    found.tests = read::test_leads(line, forms.iter().map(String::as_str)).await;
    let unseen = found.alone.values().any(Trouble::is_of_access);
    if unseen && found.of_page.is_none() {
        // That another lead of the Page could be read proves it as well.
        found.access_proven = !found.read.is_empty();
        if !found.access_proven {
            match read::lead_access(line, access, page_id).await {
                LeadAccess::Proven => found.access_proven = true,
                LeadAccess::Unknown => {}
                LeadAccess::Refused(trouble) => {
                    let refused = found.alone.values().find(|trouble| trouble.is_of_access());
                    let (code, subcode) = refused.map_or((None, None), |it| (it.code, it.subcode));
                    found.of_page = Some(Trouble { code, subcode, ..trouble });
                }
            }
        }
    }
    found
}

/// No connection of the account reaches the Page now.
async fn unreached(app: &App, account: &AccountId, page_id: &str) -> Result<Trouble> {
    let connected = connections_table::of_account(&app.db, account).await?;
    let usable = connected.iter().any(|connection| connection.state.0.is_usable());
    let (kind, message) = if usable {
        (Kind::Access, format!("The account's connection does not reach the Page {page_id}."))
    } else {
        (Kind::Token, "The account is not connected.".to_owned())
    };
    Ok(Trouble {
        kind,
        message,
        who: Who::Account,
        next_step: "let somebody of the account connect and share the Page".to_owned(),
        code: None,
        subcode: None,
    })
}

/// Some leads of one Page, held by one lease.
struct Round<'a> {
    app: &'a App,
    account: &'a AccountId,
    page_id: &'a str,
    lease: Timestamp,
}

impl Round<'_> {
    /// Writes down what was found.
    async fn settle(&self, leads: &[table::Stored], found: &Found) -> Result<()> {
        let (app, now) = (self.app, self.app.clock.now());
        let mut tx = app.db.begin_apart().await?;
        let (mut ages, mut parked, mut unseen) = (Vec::new(), Vec::new(), false);
        // All are held before the first event takes its number, as by everybody who does both.
        for mut lead in table::hold(&mut tx, leads).await? {
            // The sweep may have brought it, or somebody erased it.
            if !lead.state.0.is_waiting() {
                continue;
            }
            if let Some(answer) = found.read.get(&lead.meta_lead_id) {
                let is_test = found.tests.contains(&lead.meta_lead_id);
                sight::complete(app, &mut tx, &mut lead, answer, is_test, now).await?;
                ages.push(now.unix() - lead.submitted_at.unwrap_or(lead.seen_at).unix());
            } else if let Some(trouble) = found.alone.get(&lead.meta_lead_id)
                && lead.leased_until == Some(self.lease)
                && !(trouble.is_of_access() && found.of_page.is_some())
            {
                unseen |= trouble.is_of_access() && !(trouble.kind == Kind::Unseen && found.access_proven);
                self.park(&mut tx, &mut lead, trouble, found.access_proven, now).await?;
                parked.extend(lead.state.0.cause().map(|cause| (cause, 1)));
            }
        }
        if let Some(trouble) = &found.of_page {
            // Where Meta itself refused the token, nobody may have noticed yet.
            unseen |= trouble.kind == Kind::Access || (trouble.kind == Kind::Token && trouble.code.is_some());
            let leads = self.park_page(&mut tx, trouble, now).await?;
            parked.extend(trouble.parked(now).cause().map(|cause| (cause, leads)));
        }
        if unseen {
            // The Page's subscription knows how to find out why, and drains when it is mended.
            subscribed::check_soon(&mut tx, self.account, Object::Page, self.page_id, now).await?;
        }
        tx.commit().await?;
        app.metrics.leads("read", u64::try_from(ages.len()).unwrap_or_default());
        for age in &ages {
            app.metrics.lead_read(Duration::from_secs(u64::try_from(*age).unwrap_or_default()));
        }
        for (cause, leads) in parked {
            app.metrics.leads(cause, leads);
        }
        if !ages.is_empty() {
            app.wakes.deliver.notify_one();
        }
        if unseen {
            app.wakes.watch.notify_one();
        }
        Ok(())
    }

    /// Parks one lead for a reason of its own.
    async fn park(
        &self,
        tx: &mut Tx,
        lead: &mut table::Stored,
        trouble: &Trouble,
        access_proven: bool,
        now: Timestamp,
    ) -> Result<()> {
        let before = lead.state.0.cause();
        let mut next = trouble.parked(now);
        let mut wait = None;
        if trouble.kind == Kind::Unseen && access_proven {
            if lead.seen_at.plus_seconds(LATE_SECONDS) > now {
                // Meta shows leads with a delay, so it counts as gone only after a while.
                let late = Trouble {
                    kind: Kind::Passing,
                    message: "Meta announced the lead and does not show it yet".to_owned(),
                    who: Who::Meta,
                    next_step: "it is tried again by itself".to_owned(),
                    ..trouble.clone()
                };
                next = late.parked(now);
            } else {
                next = State::Gone { since: now };
                // Once Meta no longer keeps leads of its age, nothing can bring it back.
                wait = Some(expiry::of_lead(lead)).filter(|&at| at > now).map(|_| GONE_SECONDS);
            }
        }
        lead.attempts = if next.cause() == before { lead.attempts + 1 } else { 1 };
        if next.reason() != lead.state.0.reason() {
            lead_parks::insert(tx, &lead.id, &next, now).await?;
            lead.state = Json(next);
        }
        lead.due_at = match &lead.state.0 {
            State::Gone { .. } => wait.map(|seconds| now.plus_seconds(seconds)),
            State::Parked { cause: super::Cause::Passing, .. } => {
                Some(now.plus_seconds(passing(lead.attempts - 1, random::share())))
            }
            _ => Some(now.plus_seconds(spread(REFUSED_SECONDS, random::share()))),
        };
        lead.leased_until = None;
        table::put(tx, lead).await?;
        Ok(())
    }

    /// Parks all leads of the Page that are due: none of them can be read.
    async fn park_page(&self, tx: &mut Tx, trouble: &Trouble, now: Timestamp) -> Result<u64> {
        let seconds = match trouble.kind {
            // Not all Pages at the same second.
            Kind::Throttle { seconds } => seconds.clamp(1, LONGEST_WAIT_SECONDS - 3600),
            _ => spread(REFUSED_SECONDS, random::share()),
        };
        let wait = table::Wait {
            account_id: self.account,
            page_id: self.page_id,
            state: &trouble.parked(now),
            due_at: now.plus_seconds(seconds),
            lease: self.lease,
            now,
        };
        let leads = table::park_page(tx, &wait).await?;
        lead_parks::insert_of_page(tx, &wait).await?;
        Ok(leads)
    }
}

/// Seconds until the next try after so many failures in a row; `share` (0 to 1) spreads them.
fn passing(failures: i64, share: f64) -> i64 {
    let doublings = u32::try_from(failures.clamp(0, 10)).unwrap_or(0);
    spread((PASSING_SECONDS << doublings).min(PASSING_LONGEST), share)
}

/// Between three quarters of it and the whole, so that what failed together is not tried again together.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an hour in seconds")]
fn spread(seconds: i64, share: f64) -> i64 {
    (seconds as f64 * (0.75 + share / 4.0)).ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_hour_and_are_spread() {
        assert_eq!((passing(0, 0.0), passing(0, 1.0)), (12, 15));
        assert_eq!((passing(1, 1.0), passing(4, 1.0)), (30, 240));
        for failures in [9, 100, i64::MAX] {
            assert_eq!(passing(failures, 1.0), PASSING_LONGEST);
        }
        assert_eq!(spread(REFUSED_SECONDS, 0.0), 2700);
    }
}
