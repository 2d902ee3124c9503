//! A run: the test lead is sent, waited for here, and taken away. Each step is written down before the next.

use adjoin_graph::{Answer, Request};
use adjoin_marketing::errors::Class;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{
    Asked, Failure, Ours, Outcome, Run, Step, Way,
    judge::{Verdict, judge},
};
use crate::{
    quota::Touched,
    service::{
        App, Error, MetaError, Result, Who, connections,
        events::{self, Kind, NewEvent},
        leads::{self, TestLead},
        meta::{self, Line},
    },
    store::{Tx, canaries as table, forms},
    time::Timestamp,
};

/// Canaries one step takes, and how many it is at at once.
const BATCH: i64 = 16;
const AT_ONCE: usize = 4;
/// A turn is a few calls, each of 30 seconds at most, with the client's own retries.
const LEASE_SECONDS: i64 = 10 * 60;
pub(super) const DAY_SECONDS: i64 = 24 * 60 * 60;
/// Nothing is planned further ahead.
const LATEST_SECONDS: i64 = DAY_SECONDS + 60 * 60;
/// How long a canary is waited for, and how often one looks.
const WAIT_SECONDS: i64 = 15 * 60;
const LOOK_SECONDS: i64 = 5;
/// When nobody looked for so long, no service ran that could have taken the webhook.
const UNATTENDED_SECONDS: i64 = 5 * 60;
/// For so long it is tried to send one.
const PATIENCE_SECONDS: i64 = 60 * 60;
/// After a failure that passes.
const PASSING_SECONDS: i64 = 15;
/// A daily one looks again whether its connection can be used.
const UNUSABLE_SECONDS: i64 = 60 * 60;
/// Tries to take a test lead away, within half an hour; the wait is doubled before each.
const REMOVALS: u32 = 6;
const REMOVAL_SECONDS: i64 = 30;

/// Does what is due now. True when there may be more.
pub async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    let mut tx = app.db.begin_apart().await?;
    let mut due = table::claim(&mut tx, now, lease, now.plus_seconds(LATEST_SECONDS), BATCH).await?;
    for row in &mut due {
        // Whoever asks for one now sees that one is under way.
        if row.state.0.run.is_none() {
            row.state.0.run = Some(Run::Asked { at: now, by: Asked::Daily });
            table::put(&mut tx, row).await?;
        }
    }
    tx.commit().await?;
    let full = i64::try_from(due.len()) == Ok(BATCH);
    let mut turns = stream::iter(due).map(|row| Turn { app, row, lease }.go()).buffer_unordered(AT_ONCE);
    // One that fails does not hold up the others; its lease ends by itself.
    let mut failed = None;
    while let Some(outcome) = turns.next().await {
        failed = outcome.err().or(failed);
    }
    failed.map_or(Ok(full), Err)
}

/// What a step of a run comes to.
enum Next {
    /// The next step, at once.
    Go(Run),
    /// The same or another one, after so many seconds.
    After(Run, i64),
    /// It is over.
    End(Outcome),
    /// It was not begun: its connection cannot be used.
    PutOff,
}

/// Why Meta did not do what it was asked.
struct Stop {
    /// When it passes: after so many seconds.
    passes: Option<i64>,
    /// There is no token.
    unusable: bool,
    /// There is no such object.
    gone: bool,
    /// It may have been done all the same.
    outcome_unknown: bool,
    message: String,
    who: Who,
    next_step: String,
}

impl Stop {
    fn failure(self, step: Step) -> Failure {
        Failure { step, message: self.message, who: self.who, next_step: self.next_step }
    }

    fn of_meta(error: MetaError, passes: Option<i64>) -> Self {
        Self {
            passes,
            unusable: false,
            gone: false,
            outcome_unknown: error.outcome_unknown,
            message: error.message,
            who: error.who,
            next_step: error.next_step,
        }
    }

    fn unreadable() -> Self {
        Self::of_meta(MetaError::unreadable(None), Some(PASSING_SECONDS))
    }

    fn no_access(error: Error) -> Result<Self> {
        let (message, who, next_step) = match error {
            Error::NotReady { message, who, next_step }
            | Error::Broken { message, who, next_step }
            | Error::Unpermitted { message, who, next_step } => (message, who, next_step),
            Error::Meta(error) => {
                let passes = error.retry.then(|| passes(&error));
                return Ok(Self::of_meta(*error, passes));
            }
            error @ (Error::Store(_) | Error::Vault(_)) => return Err(error),
            other => (other.to_string(), Who::Partner, "look at the connection".to_owned()),
        };
        let (passes, gone, outcome_unknown) = (None, false, false);
        Ok(Self { passes, unusable: true, gone, outcome_unknown, message, who, next_step })
    }
}

fn passes(error: &MetaError) -> i64 {
    error.retry_after.and_then(|wait| i64::try_from(wait).ok()).unwrap_or(PASSING_SECONDS)
}

/// One canary, held by this lease.
struct Turn<'a> {
    app: &'a App,
    row: table::Stored,
    lease: Timestamp,
}

impl Turn<'_> {
    async fn go(mut self) -> Result<()> {
        while let Some(run) = self.row.state.0.run.clone() {
            let next = match run {
                Run::Asked { at, by } => self.send(at, by).await?,
                Run::Sent { way, until } => self.look(way, until).await?,
                Run::Removing { outcome, tries } => self.remove(outcome, tries).await?,
            };
            let Some(next) = next else { return Ok(()) };
            if !self.put(next).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends the test lead, unless the form has one that is not ours. `None`: the canary is somebody else's, or gone.
    async fn send(&mut self, asked_at: Timestamp, by: Asked) -> Result<Option<Next>> {
        let Some(form) = forms::by_id(&self.app.db, &self.row.account_id, &self.row.form_id).await? else {
            return Ok(None);
        };
        if form.status != "ACTIVE" {
            let failure = Failure {
                step: Step::Form,
                message: format!("the form is {}, so nobody can send it, nor a test lead", form.status),
                who: Who::Account,
                next_step: "publish the form, or switch its canary off".to_owned(),
            };
            return Ok(Some(self.lost(Way::default(), failure)));
        }
        let listed = match self.test_leads(&form).await? {
            Ok(listed) => listed,
            Err(stop) => return Ok(Some(self.not_sent(stop, asked_at, by))),
        };
        for lead in listed {
            let is_ours =
                self.row.state.0.ours.as_ref().is_some_and(|ours| ours.is(&lead.id, lead.created_at));
            if !is_ours && table::is_canary(&self.app.db, &lead.id).await? {
                // Of another account that has the same Page: it is gone in a while.
                let stop = Stop {
                    passes: Some(REMOVAL_SECONDS),
                    unusable: false,
                    gone: false,
                    outcome_unknown: false,
                    message: "another account's canary is in the form, and Meta allows one test lead"
                        .to_owned(),
                    who: Who::Partner,
                    next_step: "send the canary again when the other one has ended".to_owned(),
                };
                return Ok(Some(self.not_sent(stop, asked_at, by)));
            }
            if !is_ours {
                let failure = Failure {
                    step: Step::Send,
                    message: format!(
                        "the form has a test lead that Adjoin did not send ({}), and Meta allows one",
                        lead.id
                    ),
                    who: Who::Partner,
                    next_step: "when nobody needs it any more, delete it with test_lead.delete, and send a canary again"
                        .to_owned(),
                };
                return Ok(Some(self.lost(Way::default(), failure)));
            }
            // Of a run that was cut off.
            match self.ask(&form, &Request::delete(format!("/{}", lead.id))).await? {
                Err(stop) if !stop.gone => return Ok(Some(self.not_sent(stop, asked_at, by))),
                _ => self.keep_out(&form, &lead.id).await?,
            }
        }
        let since = self.app.clock.now();
        self.row.state.0.ours = Some(Ours { since, meta_lead_id: None });
        if !self.put(Next::Go(Run::Asked { at: asked_at, by })).await? {
            return Ok(None);
        }
        match self.ask(&form, &Request::post(format!("/{}/test_leads", form.form_id))).await? {
            Ok(answer) => {
                let Some(id) = answer.json().ok().and_then(|json| leads::id(json.get("id"))) else {
                    // What Meta made is found in the list.
                    return Ok(Some(self.not_sent(Stop::unreadable(), asked_at, by)));
                };
                self.row.state.0.ours = Some(Ours { since, meta_lead_id: Some(id) });
                let now = self.app.clock.now();
                let way = Way { sent_at: Some(now), ..Way::default() };
                let run = Run::Sent { way, until: now.plus_seconds(WAIT_SECONDS) };
                Ok(Some(Next::After(run, LOOK_SECONDS)))
            }
            Err(stop) => {
                if !stop.outcome_unknown {
                    self.row.state.0.ours = None;
                }
                Ok(Some(self.not_sent(stop, asked_at, by)))
            }
        }
    }

    /// A failure before the test lead was sent: it passes, or the run is over.
    fn not_sent(&self, stop: Stop, asked_at: Timestamp, by: Asked) -> Next {
        if stop.unusable && by == Asked::Daily {
            return Next::PutOff;
        }
        let patience = asked_at.plus_seconds(PATIENCE_SECONDS);
        match stop.passes {
            Some(wait) if self.app.clock.now().plus_seconds(wait) <= patience => {
                Next::After(Run::Asked { at: asked_at, by }, wait)
            }
            _ => {
                let lost_at = if stop.unusable { Step::Connection } else { Step::Send };
                self.lost(Way::default(), stop.failure(lost_at))
            }
        }
    }

    fn lost(&self, way: Way, failure: Failure) -> Next {
        Next::End(Outcome::Failed { at: self.app.clock.now(), way, failure })
    }

    /// Looks how far the lead has come.
    async fn look(&self, mut way: Way, mut until: Timestamp) -> Result<Option<Next>> {
        let now = self.app.clock.now();
        if self.row.due_at.is_some_and(|due| due.plus_seconds(UNATTENDED_SECONDS) < now) {
            // Meta sends again what it could not bring.
            until = now.plus_seconds(WAIT_SECONDS);
        }
        let id = self.row.state.0.ours.as_ref().and_then(|ours| ours.meta_lead_id.as_deref());
        let lead = table::lead(&self.app.db, &self.row.account_id, id.unwrap_or_default()).await?;
        if let Some(lead) = &lead {
            way.follow(lead);
        }
        let outcome = match judge(lead.as_ref(), now >= until) {
            Verdict::Wait => return Ok(Some(Next::After(Run::Sent { way, until }, LOOK_SECONDS))),
            Verdict::Passed => Outcome::Passed { at: now, way },
            Verdict::Failed(failure) => Outcome::Failed { at: now, way, failure },
        };
        Ok(Some(Next::Go(Run::Removing { outcome, tries: 0 })))
    }

    /// Takes the test lead away.
    async fn remove(&mut self, outcome: Outcome, tries: u32) -> Result<Option<Next>> {
        let Some(form) = forms::by_id(&self.app.db, &self.row.account_id, &self.row.form_id).await? else {
            return Ok(None);
        };
        let ours = self.row.state.0.ours.as_ref().and_then(|ours| ours.meta_lead_id.clone());
        let Some(id) = ours else { return Ok(Some(Next::End(outcome))) };
        let mut stopped = self.ask(&form, &Request::delete(format!("/{id}"))).await?.err();
        if stopped.as_ref().is_some_and(|stop| stop.gone) {
            // Not there, or not to be seen: the list tells.
            stopped = match self.test_leads(&form).await? {
                Ok(listed) => stopped.filter(|_| listed.iter().any(|lead| lead.id == id)),
                Err(stop) => Some(stop),
            };
        }
        let Some(stop) = stopped else {
            self.keep_out(&form, &id).await?;
            self.row.state.0.ours = None;
            return Ok(Some(Next::End(outcome.removed(self.app.clock.now()))));
        };
        let tries = tries + 1;
        if tries < REMOVALS {
            let wait = (REMOVAL_SECONDS << tries).max(stop.passes.unwrap_or_default());
            return Ok(Some(Next::After(Run::Removing { outcome, tries }, wait.min(DAY_SECONDS))));
        }
        // It stays known as ours, and is the first that the next run takes away.
        Ok(Some(match outcome {
            Outcome::Passed { way, .. } => self.lost(way, stop.failure(Step::Remove)),
            failed @ Outcome::Failed { .. } => Next::End(failed),
        }))
    }

    /// A test lead that was taken away does not come in any more.
    async fn keep_out(&self, form: &forms::Stored, meta_lead_id: &str) -> Result<()> {
        let mut tx = self.app.db.begin_apart().await?;
        leads::keep_out(&mut tx, form, meta_lead_id, self.app.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// The test leads of the form: one at most.
    async fn test_leads(&self, form: &forms::Stored) -> Result<std::result::Result<Vec<TestLead>, Stop>> {
        let listed = self.ask(form, &leads::ask_test_leads(&form.form_id)).await?;
        Ok(listed.and_then(|answer| TestLead::all(&answer).map_err(|_| Stop::unreadable())))
    }

    /// Asks Meta with the Page's own token; a dead one is made anew, once.
    async fn ask(
        &self,
        form: &forms::Stored,
        request: &Request,
    ) -> Result<std::result::Result<Answer, Stop>> {
        let mut is_anew = false;
        loop {
            let access =
                connections::page_access(self.app, &form.account_id, &form.connection_id, &form.page_id);
            let access = match access.await {
                Ok(access) => access,
                Err(error) => return Stop::no_access(error).map(Err),
            };
            let line = Line {
                app: self.app,
                graph: access.graph.clone(),
                token: access.token.clone(),
                touched: Touched::page(&form.page_id, &form.connection_id),
            };
            if let Err(parked) = line.room() {
                return Ok(Err(Stop {
                    passes: Some((parked.until.unix() - self.app.clock.now().unix()).max(1)),
                    unusable: false,
                    gone: false,
                    outcome_unknown: false,
                    message: parked.why,
                    who: Who::Meta,
                    next_step: "send the canary again when Meta's limit has ended".to_owned(),
                }));
            }
            let error = match line.send(request).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(error) => error,
            };
            let class = error.refusal().map(|refusal| meta::known(refusal).class);
            if matches!(class, Some(Class::Reconnect | Class::ActionOnFacebook)) {
                connections::report_refusal(self.app, &access, &error).await?;
                if connections::is_dead_page_token(&access, &error) && !is_anew {
                    is_anew = true;
                    continue;
                }
            }
            let explained = MetaError::explain(&error);
            let passes = (explained.retry || explained.outcome_unknown).then(|| passes(&explained));
            let gone = error
                .refusal()
                .is_some_and(|refusal| (refusal.code, refusal.subcode) == (Some(100), Some(33)));
            return Ok(Err(Stop { gone, ..Stop::of_meta(explained, passes) }));
        }
    }

    /// Writes down what comes next. True when it is done at once.
    async fn put(&mut self, next: Next) -> Result<bool> {
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin_apart().await?;
        let known = table::by_id_for_update(&mut tx, &self.row.account_id, &self.row.form_id).await?;
        let Some(known) = known.filter(|row| row.leased_until == Some(self.lease)) else { return Ok(false) };
        // Somebody may have switched it since.
        self.row.daily = known.daily;
        let goes_on = matches!(next, Next::Go(_));
        if !goes_on {
            self.row.leased_until = None;
        }
        let mut ended = None;
        let state = &mut self.row.state.0;
        match next {
            Next::Go(run) => state.run = Some(run),
            Next::After(run, wait) => {
                state.run = Some(run);
                self.row.due_at = Some(now.plus_seconds(wait));
            }
            Next::PutOff => {
                state.run = None;
                self.row.due_at = self.row.daily.then(|| now.plus_seconds(UNUSABLE_SECONDS));
            }
            Next::End(outcome) => {
                state.run = None;
                ended = Some((state.last.replace(outcome.clone()), outcome));
                self.row.due_at = self.row.daily.then(|| now.plus_seconds(DAY_SECONDS));
            }
        }
        table::put(&mut tx, &self.row).await?;
        if let Some(id) = self.row.state.0.ours.as_ref().and_then(|ours| ours.meta_lead_id.as_deref()) {
            table::mark_lead(&mut tx, &self.row.account_id, id).await?;
        }
        let mut told = false;
        if let Some((before, outcome)) = &ended {
            told = self.tell(&mut tx, before.as_ref(), outcome, now).await?;
        }
        tx.commit().await?;
        if let Some((_, outcome)) = ended {
            let step = outcome.failure().map_or("passed", |failure| failure.step.as_str());
            self.app.metrics.canary(step);
        }
        if told {
            self.app.wakes.deliver.notify_one();
        }
        Ok(goes_on)
    }

    /// Tells the partner what is new in an outcome. True when something is.
    async fn tell(
        &self,
        tx: &mut Tx,
        before: Option<&Outcome>,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<bool> {
        let kind = match (before.and_then(Outcome::failure), outcome.failure()) {
            (Some(_), None) => Kind::CanaryPassed,
            (before, Some(failure)) if before.is_none_or(|before| before.step != failure.step) => {
                Kind::CanaryFailed
            }
            _ => return Ok(false),
        };
        let form = forms::by_id(&self.app.db, &self.row.account_id, &self.row.form_id).await?;
        let page_id = form.map(|form| form.page_id);
        let mut data = json!({ "form_id": self.row.form_id, "page_id": page_id, "way": outcome.way() });
        if let Some(Failure { step, message, who, next_step }) = outcome.failure() {
            data["step"] = json!(step);
            data["message"] = json!(message);
            data["who"] = json!(who);
            data["next_step"] = json!(next_step);
        }
        let event = NewEvent::new(Some(self.row.account_id.clone()), kind, &self.row.form_id, data);
        events::record(tx, event, now).await?;
        Ok(true)
    }
}
