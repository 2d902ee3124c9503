//! Methods: calling the Marketing API for an account.
//!
//! ```text
//! arguments checked -> connection and token -> permission -> rules -> room in Meta's limits -> Meta
//!                                                                                         -> answer, log
//! ```
//! What fails before Meta costs Meta nothing. A write is sent once: it is never repeated here, and it runs to its end
//! even when the caller has gone. A read is repeated a little when Meta fails for a moment.

mod answer;
mod assets;
mod facts;
mod idempotency;
mod rules;
mod stage;

use std::time::{Duration, Instant};

use adjoin_graph::{GraphRefusal, Request, Retry, RetryPolicy};
use adjoin_marketing::{
    ad_set::{self, Finding, Report},
    catalogue::{self, Kind, Method, Plan, Token, Verb},
};
use serde_json::{Map, Value};

use super::{
    App, Error, Fault, MetaError, Result, Who, calls, connections, connections::Access, forms, meta, work,
};
use crate::{
    id::{AccountId, CallId, ConnectionId},
    quota::Touched,
    random,
    store::connections as table,
};

pub use answer::{Answer, Shape};
pub use facts::Facts;
use idempotency::{Claim, Keyed};

/// One call of a method.
#[derive(Debug, Clone)]
pub struct Call {
    pub account_id: AccountId,
    /// `None`: the only connection of the account.
    pub connection_id: Option<ConnectionId>,
    /// `ad_set.create`
    pub method: String,
    pub arguments: Map<String, Value>,
    /// Ask only what would happen: the rules, and Meta's own validation where it has one. For writes.
    pub preview: bool,
    /// Read the campaign, or the ad set as it stands, so that the rules can be certain. Costs a read at Meta.
    pub look_up: bool,
    /// The same key and the same call get the same answer for a day. For writes.
    pub idempotency_key: Option<String>,
}

/// Calls a method.
pub async fn call(app: &App, call: Call) -> Result<Answer> {
    let method = find(&call.method)?;
    if method.kind == Kind::Local {
        return call_local(app, method, &call.arguments);
    }
    let connection = match &call.connection_id {
        Some(id) => id.clone(),
        None => sole_connection(app, &call.account_id).await?,
    };
    if method.is_write() {
        let app = app.clone();
        work::to_its_end(async move { logged(&app, method, connection, &call).await }).await
    } else {
        logged(app, method, connection, &call).await
    }
}

/// Calls a method that is answered here, without a connection and without Meta.
pub fn call_local(app: &App, method: &Method, arguments: &Map<String, Value>) -> Result<Answer> {
    if method.kind != Kind::Local {
        return Err(Error::Conflict {
            message: format!("{} is called for an account", method.id),
            next_step: "call it at /v1/accounts/{account_id}/methods/".to_owned() + &method.id,
        });
    }
    check(method, arguments, false)?;
    Ok(answer::local(&validate(app, arguments)?))
}

/// The method of this id.
pub fn find(id: &str) -> Result<&'static Method> {
    catalogue::method(id).ok_or(Error::NotFound { what: "the method" })
}

/// Checks an ad set document against the rules.
pub fn validate(app: &App, document: &Map<String, Value>) -> Result<Report> {
    let text = serde_json::to_vec(document).expect("JSON is JSON");
    ad_set::check(&text, app.clock.now().0).map_err(|error| {
        Error::invalid(error.path.clone(), error.problem.clone(), "a document with an ad_set")
    })
}

/// What the rules of `ad_set.create` will know of an ad account, for a form that shows them before the call. `None` if it
/// cannot be read for now.
pub async fn ad_account_facts(
    app: &App,
    account: &AccountId,
    connection: &ConnectionId,
    ad_account: &str,
) -> Option<Value> {
    let method = find("ad_set.create").ok()?;
    let access = connections::access(app, account, connection).await.ok()?;
    let arguments = Map::from_iter([("ad_account_id".to_owned(), Value::from(ad_account))]);
    let touched = touched(method, &arguments, connection);
    room(app, &touched).ok()?;
    let way = Way { app, access: &access, touched: &touched };
    rules::ad_account(&way, ad_account).await
}

async fn sole_connection(app: &App, account: &AccountId) -> Result<ConnectionId> {
    let read = async |account: &AccountId| table::sole_of_account(&app.db, account).await;
    let sole = app.recent.sole_connections.get(&app.db, account.clone(), app.clock.now(), read).await?;
    if let Some(id) = sole {
        return Ok((*id).clone());
    }
    // None, or several.
    if !connections::list(app, account).await?.is_empty() {
        return Err(Error::Conflict {
            message: "the account has several connections".to_owned(),
            next_step: "name the one to use".to_owned(),
        });
    }
    super::accounts::get(app, account).await?;
    Err(Error::NotReady {
        message: "the connector is not installed in this account".to_owned(),
        who: Who::Partner,
        next_step: "make a connect session for the account and let its user connect".to_owned(),
    })
}

/// Runs the call and writes it down.
async fn logged(app: &App, method: &'static Method, connection: ConnectionId, call: &Call) -> Result<Answer> {
    let started = Instant::now();
    let mut trail = Trail::default();
    let outcome = attempt(app, method, &connection, call, &mut trail).await;
    let took = started.elapsed();
    let name = outcome_name(method, &outcome);
    app.metrics.called(&method.id, name, took);
    // A connection that is not there has no log, and a replay is no call.
    let worth_it =
        !matches!(outcome, Err(Error::NotFound { .. })) && !outcome.as_ref().is_ok_and(|it| it.replayed);
    if worth_it {
        app.calls.add(calls::Call {
            id: CallId::new(),
            account_id: call.account_id.clone(),
            connection_id: connection,
            method: method.id.clone(),
            outcome: name.to_owned(),
            code: trail.code,
            subcode: trail.subcode,
            message: outcome.as_ref().err().map(message),
            trace_id: trail.trace_id,
            duration_us: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
            at: app.clock.now(),
        });
    }
    outcome
}

/// What the log needs to know of Meta's answer.
#[derive(Debug, Default)]
struct Trail {
    code: Option<i64>,
    subcode: Option<i64>,
    trace_id: Option<String>,
}

fn outcome_name(method: &Method, outcome: &Result<Answer>) -> &'static str {
    match outcome {
        Ok(answer) if answer.replayed => "replayed",
        Ok(_) => "ok",
        Err(Error::Invalid(_)) => "invalid",
        Err(Error::Rejected(_)) => "rejected",
        Err(Error::Unpermitted { .. }) => "unpermitted",
        Err(Error::Throttled { .. }) => "parked",
        Err(Error::NotReady { .. } | Error::Broken { .. }) => "not_connected",
        Err(Error::Conflict { .. } | Error::Forbidden { .. }) => "conflict",
        Err(Error::NotFound { .. }) => "not_found",
        // Neither done nor refused, as far as anybody here can tell.
        Err(Error::Meta(error)) if method.is_write() && error.outcome_unknown => "unknown",
        Err(Error::Meta(error)) if error.meta.get("error").is_some() => "refused",
        Err(Error::Meta(_)) => "unreachable",
        Err(Error::Store(_) | Error::Vault(_)) => "failed",
    }
}

/// The error in a line for the log.
fn message(error: &Error) -> String {
    const LONGEST: usize = 500;
    let text = match error {
        Error::Invalid(faults) => faults
            .iter()
            .map(|fault| format!("{}: {}", fault.field, fault.message))
            .collect::<Vec<_>>()
            .join("; "),
        Error::Rejected(report) => {
            let grave = report.findings.iter().filter(|it| it.severity == ad_set::Severity::Reject);
            grave.map(|it| it.message.as_str()).collect::<Vec<_>>().join("; ")
        }
        Error::Meta(error) => error.message.clone(),
        other => other.to_string(),
    };
    text.chars().take(LONGEST).collect()
}

/// Boxed is what most calls do not come to: the future of each would be as large as the largest step.
async fn attempt(
    app: &App,
    method: &'static Method,
    connection: &ConnectionId,
    call: &Call,
    trail: &mut Trail,
) -> Result<Answer> {
    check(method, &call.arguments, call.preview)?;
    let keyed = match &call.idempotency_key {
        Some(key) if method.is_write() && !call.preview => {
            let keyed = Keyed::new(&call.account_id, key, connection, method, &call.arguments)?;
            // Before all that may have changed since, by the very call that is sent again.
            if let Some(kept) = Box::pin(keyed.kept(app)).await? {
                return *kept;
            }
            Some(keyed)
        }
        _ => None,
    };
    let mut access = connections::access(app, &call.account_id, connection).await?;
    if !method.permitted(access.granted()) {
        return Err(Box::pin(unpermitted(app, method, &access)).await?);
    }
    let touched = touched(method, &call.arguments, connection);
    room(app, &touched)?;
    if method.token == Token::Page {
        access = Box::pin(page_access(app, &access, &call.arguments)).await?;
    }
    let way = Way { app, access: &access, touched: &touched };
    let findings = rules::check(&way, method, call, trail).await?;
    let mut plan = method.plan(&call.arguments).expect("a method that is not local has a call");
    if call.preview {
        if method.id == stage::METHOD {
            return Box::pin(stage::preview(&way, plan, &call.arguments)).await;
        }
        if method.parameter("execution_options").is_none() {
            return Ok(answer::preview(&plan, false, &findings));
        }
        plan.body.insert("execution_options".to_owned(), serde_json::json!(["validate_only"]));
    }

    if let Some(assets) = assets::Assets::of(method) {
        return Box::pin(assets::list(&way, method, assets, plan, trail)).await;
    }

    let claim = match keyed {
        Some(keyed) => match Box::pin(keyed.claim(app)).await? {
            Claim::Replay(outcome) => return *outcome,
            Claim::Ours(claim) => Some(claim),
        },
        None => None,
    };
    let (outcome, error) = if method.id == stage::METHOD {
        Box::pin(stage::report(&way, method, &plan, &call.arguments, trail)).await
    } else {
        send(&way, method, call, plan, &findings, trail).await
    };
    if let Some(claim) = claim {
        // The call is made, so its answer is told even when it cannot be kept; the key then counts as cut off.
        if let Err(error) = Box::pin(claim.settle(app, &outcome, error.as_ref())).await {
            tracing::error!(%error, "the answer of a call with an idempotency key was not kept");
        }
    }
    if outcome.is_ok() && method.is_write() {
        app.facts.forget(connection, &call.arguments);
        if method.resource() == "form"
            && let Some(page_id) = call.arguments.get("page_id").and_then(rules::id_text)
        {
            Box::pin(forms::list_soon(app, &call.account_id, &page_id)).await;
        }
    }
    outcome
}

/// Sends the call as it is laid out. Beside the answer, what went wrong on the way to Meta.
async fn send(
    way: &Way<'_>,
    method: &Method,
    call: &Call,
    mut plan: Plan,
    findings: &[Finding],
    trail: &mut Trail,
) -> (Result<Answer>, Option<adjoin_graph::Error>) {
    let request = Request::new(verb(plan.verb), plan.path.clone())
        .params(std::mem::take(&mut plan.query))
        .params(plan.body.clone());
    let mut sent = way.send(&request, trail).await;
    if let Err(error) = &sent
        && connections::is_dead_page_token(way.access, error)
        && let Ok(anew) = Box::pin(page_access(way.app, way.access, &call.arguments)).await
    {
        // What Meta refuses it has not done, so this is safe for a write as well.
        sent = Box::pin(Way { access: &anew, ..*way }.send(&request, trail)).await;
    }
    match sent {
        Ok(answer) if call.preview => {
            trail.trace_id.clone_from(&answer.trace_id);
            (Ok(answer::preview(&plan, true, findings)), None)
        }
        Ok(answer) => (answer::made(&answer, method, findings), None),
        Err(error) => (Err(explained(&error, method)), Some(error)),
    }
}

/// The access with the own token of the Page that the arguments name.
async fn page_access(app: &App, access: &Access, arguments: &Map<String, Value>) -> Result<Access> {
    let page_id = arguments.get("page_id").and_then(rules::id_text).unwrap_or_default();
    connections::page_access(app, &access.account_id, &access.connection_id, &page_id).await
}

/// The way to Meta for one call: with its access, within its limits.
struct Way<'a> {
    app: &'a App,
    access: &'a Access,
    touched: &'a Touched,
}

/// A read that Meta fails for a moment is asked again; together the waits are below a second.
const READS: RetryPolicy =
    RetryPolicy { attempts: 3, base: Duration::from_millis(250), longest: Duration::from_millis(500) };
/// A read that has taken longer than this, as one that ran into its time limit, is not asked again.
const READ_AGAIN_WITHIN: Duration = Duration::from_millis(1500);

impl Way<'_> {
    /// Sends a write once and a read up to three times, and takes note of what each answer says about limits and the
    /// connection.
    async fn send(
        &self,
        request: &Request,
        trail: &mut Trail,
    ) -> std::result::Result<adjoin_graph::Answer, adjoin_graph::Error> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let sent = self.access.graph.send(request, &self.access.token).await;
            self.note(&sent, trail).await;
            let Err(error) = &sent else { return sent };
            if !request.method.is_read() {
                return sent;
            }
            match READS.decide(error, attempt, true, random::share()) {
                Retry::Wait(wait) if started.elapsed() + wait < READ_AGAIN_WITHIN => {
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                _ => return sent,
            }
        }
    }

    /// Takes note of what an answer says about limits and the connection.
    async fn note(
        &self,
        sent: &std::result::Result<adjoin_graph::Answer, adjoin_graph::Error>,
        trail: &mut Trail,
    ) {
        match sent {
            Ok(answer) => {
                *trail = Trail { trace_id: answer.trace_id.clone(), ..Trail::default() };
                self.app.quota.observe(self.touched, &answer.usage, None, self.app.clock.now());
            }
            Err(error) => Box::pin(self.note_failure(error, trail)).await,
        }
    }

    async fn note_failure(&self, error: &adjoin_graph::Error, trail: &mut Trail) {
        if let Some(refusal) = error.refusal() {
            *trail = Trail::of(refusal);
            let known = meta::known(refusal);
            let now = self.app.clock.now();
            self.app.quota.observe(self.touched, &refusal.usage, Some((refusal, known)), now);
        }
        if let Err(error) = connections::report_refusal(self.app, self.access, error).await {
            tracing::error!(%error, "a refusal could not be told to its connection");
        }
    }
}

impl Trail {
    fn of(refusal: &GraphRefusal) -> Self {
        Self { code: refusal.code, subcode: refusal.subcode, trace_id: refusal.fbtrace_id.clone() }
    }
}

fn verb(verb: Verb) -> adjoin_graph::Method {
    match verb {
        Verb::Get => adjoin_graph::Method::Get,
        Verb::Post => adjoin_graph::Method::Post,
        Verb::Patch => adjoin_graph::Method::Patch,
        Verb::Delete => adjoin_graph::Method::Delete,
    }
}

/// Everything that is wrong with the arguments, at once.
fn check(method: &Method, arguments: &Map<String, Value>, preview: bool) -> Result<()> {
    let mut faults = match method.check(arguments) {
        Ok(()) => Vec::new(),
        Err(faults) => faults.iter().map(argument_fault).collect(),
    };
    let asks_for_tokens =
        arguments.get("fields").is_some_and(|fields| fields.to_string().contains("access_token"));
    if asks_for_tokens {
        faults.push(Fault::new(
            "fields",
            "tokens are not given out",
            "leave access_token out; Adjoin calls with the right token itself",
        ));
    }
    if preview && !method.is_write() {
        faults.push(Fault::new("preview", "this method changes nothing", "leave preview out"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn argument_fault(fault: &catalogue::ArgumentFault) -> Fault {
    use catalogue::Problem;
    let fix = match &fault.problem {
        Problem::Missing => "give it".to_owned(),
        Problem::Unknown { did_you_mean: Some(near) } => format!("did you mean {near}?"),
        Problem::Unknown { did_you_mean: None } | Problem::Fixed => "leave it out".to_owned(),
        Problem::WrongType { expected, .. } => expected.words().to_owned(),
        Problem::OutOfRange { from, to } => format!("{from} to {to}"),
        Problem::OneOf { .. } => "give one of them, and leave the others out".to_owned(),
    };
    let message = match &fault.problem {
        Problem::Unknown { .. } => "is not an argument of this method".to_owned(),
        other => other.to_string(),
    };
    Fault::new(fault.argument.clone(), message, fix)
}

/// The error of a method whose permissions were not granted: who can mend that depends on why they were not.
async fn unpermitted(app: &App, method: &Method, access: &Access) -> Result<Error> {
    let connection = connections::get(app, &access.account_id, &access.connection_id).await?;
    let lacking = method.lacking(access.granted());
    // Where one of several would do, it is the one that was asked for.
    let first = lacking.iter().find(|name| connection.wanted.iter().any(|wanted| wanted == *name));
    let remedy = connection.remedy(first.or(lacking.first()).copied().unwrap_or_default());
    Ok(Error::Unpermitted {
        message: format!(
            "{} needs {}, which the account has not granted",
            method.id,
            method.permissions_in_words()
        ),
        who: remedy.who,
        next_step: remedy.next_step,
    })
}

/// What the call counts for at Meta.
fn touched(method: &Method, arguments: &Map<String, Value>, connection: &ConnectionId) -> Touched {
    let text = |value: &Value| match value {
        Value::String(text) => text.trim_start_matches("act_").to_owned(),
        other => other.to_string(),
    };
    let object =
        method.parameters.iter().find(|it| it.r#in == catalogue::Place::Path && it.name != "ad_account_id");
    // Meta counts what is read and made with a Page's token for the Page.
    let page = arguments.get("page_id").filter(|_| method.token == Token::Page);
    Touched {
        ad_account: arguments.get("ad_account_id").or(page).map(text),
        object: object
            .filter(|_| method.is_write())
            .and_then(|parameter| arguments.get(&parameter.name))
            .map(text),
        connection: connection.clone(),
    }
}

fn room(app: &App, touched: &Touched) -> Result<()> {
    let now = app.clock.now();
    app.quota.room(touched, now).map_err(|parked| Error::Throttled {
        retry_after: u64::try_from(parked.until.unix() - now.unix()).unwrap_or(0).max(1),
        message: format!("{}; calls wait until {}", parked.why, parked.until),
    })
}

/// Meta's error in words. A write whose end is not known says so.
fn explained(error: &adjoin_graph::Error, method: &Method) -> Error {
    let mut known = MetaError::explain(error);
    if method.is_write() && known.outcome_unknown {
        known.message.push_str(" Whether the change was made is not known.");
        known.next_step = format!(
            "look with {}.list or {0}.get whether it was made before sending it again",
            method.resource()
        );
        known.retry = false;
    }
    if method.id == "test_lead.create" && error.refusal().is_some_and(|refusal| refusal.code == Some(100)) {
        "a form has at most one test lead: look with test_lead.list whether it has one, delete that with \
         test_lead.delete, and send this again"
            .clone_into(&mut known.next_step);
    }
    Error::Meta(Box::new(known))
}
