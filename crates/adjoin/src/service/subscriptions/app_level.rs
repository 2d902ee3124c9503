//! The app's own subscriptions at Meta: one callback for each type of object, for all accounts.

use adjoin_graph::{Graph, Request, oauth};
use adjoin_marketing::errors::Class;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AppState, Object, RECHECK_SECONDS, SubscriptionFault, faults};
use crate::{
    audit::Actor,
    service::{
        App, Error, Result,
        events::{self, Kind, NewEvent},
        meta, settings, setup, webhooks,
    },
    store::{Json, app_subscriptions as table, audit},
    time::Timestamp,
};

/// A faulty one is looked at sooner than others: what is mended in the App Dashboard counts at once.
const FAULTY_SECONDS: i64 = 10 * 60;
/// After an answer that did not come.
const UNANSWERED_SECONDS: i64 = 60;
/// Nothing is planned further ahead.
const LATEST_SECONDS: i64 = 25 * 60 * 60;
/// One look is two reads and a write.
const LEASE_SECONDS: i64 = 5 * 60;
/// Meta's code for a callback that did not answer its challenge. Seen in the field; not documented.
const CALLBACK_FAILED: i64 = 2200;
/// Where Meta sends webhooks.
pub const PATH: &str = "/webhooks/facebook";

/// What a look at Meta led to.
enum Found {
    State(AppState),
    /// Nothing is known.
    Unanswered,
}

/// One row of `GET /{app}/subscriptions`.
#[derive(Debug, Deserialize)]
struct Row {
    object: String,
    #[serde(default)]
    callback_url: Option<String>,
    #[serde(default)]
    active: Option<bool>,
    /// Shown by some versions only.
    #[serde(default)]
    include_values: Option<bool>,
    #[serde(default)]
    fields: Vec<Value>,
}

impl Row {
    /// Names come plainly, or with the version each is sent in.
    fn fields(&self) -> Vec<String> {
        let name = |field: &Value| field.as_str().or_else(|| field.get("name")?.as_str()).map(str::to_owned);
        self.fields.iter().filter_map(name).collect()
    }

    /// Whether nothing is to be done about it.
    fn is_ours(&self, callback_url: &str, wanted: &[&str]) -> bool {
        let fields = self.fields();
        self.callback_url.as_deref() == Some(callback_url)
            && self.active != Some(false)
            && self.include_values != Some(false)
            && wanted.iter().all(|field| fields.iter().any(|known| known == field))
    }
}

#[derive(Debug, Deserialize)]
struct Rows {
    data: Vec<Row>,
}

/// Looks at those that are due. There are two rows, so one step does all.
pub(super) async fn step(app: &App) -> Result<()> {
    if setup::get(app).await?.is_none() {
        return Ok(());
    }
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    let known = table::all(&app.db).await?;
    let latest = now.plus_seconds(LATEST_SECONDS);
    if known.len() == Object::ALL.len()
        && known.iter().all(|row| row.check_at > now && row.check_at <= latest)
    {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    for object in Object::ALL {
        table::insert_if_absent(&mut tx, object, now).await?;
    }
    let due = table::claim(&mut tx, now, lease, latest).await?;
    tx.commit().await?;
    for row in due {
        look(app, row, lease, false).await?;
    }
    Ok(())
}

/// Takes the callback of this object over, whatever URL is registered for it.
pub(super) async fn take_over(app: &App, actor: &Actor, object: Object) -> Result<table::Stored> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    table::insert_if_absent(&mut tx, object, now).await?;
    audit::insert(&mut tx, actor, "app_subscription.taken_over", object.as_str(), json!({}), now).await?;
    tx.commit().await?;
    let row = table::all(&app.db).await?.into_iter().find(|row| row.object == object);
    let row = row.ok_or(Error::NotFound { what: "the subscription" })?;
    let lease = row.check_at;
    look(app, row, lease, true).await
}

/// Asks Meta, mends what is missing, and writes down what came of it: of a take-over in any case, of another look only
/// when nobody has written meanwhile. What it saw may be from before a take-over.
async fn look(app: &App, seen: table::Stored, lease: Timestamp, take_over: bool) -> Result<table::Stored> {
    let found = ask(app, seen.object, take_over).await?;
    let mut tx = app.db.begin().await?;
    let Some(mut row) = table::for_update(&mut tx, seen.object).await? else { return Ok(seen) };
    if !take_over && (&row.state.0, row.checked_at) != (&seen.state.0, seen.checked_at) {
        return Ok(row);
    }
    let (before, now) = (row.state.0.clone(), app.clock.now());
    let wait = match found {
        Found::Unanswered => UNANSWERED_SECONDS,
        Found::State(state) => {
            let wait =
                if matches!(state, AppState::Faulty { .. }) { FAULTY_SECONDS } else { RECHECK_SECONDS };
            row.state = Json(since(row.state.0, state, now));
            row.checked_at = Some(now);
            wait
        }
    };
    if let AppState::Faulty { fault, since } = &row.state.0
        && *since == now
    {
        tracing::warn!(
            object = row.object.as_str(),
            fault.message,
            fault.next_step,
            "webhooks of the app do not come"
        );
    }
    let told = match (&before, &row.state.0) {
        (AppState::Faulty { fault: known, .. }, AppState::Faulty { fault, .. })
            if known.cause.is_same(&fault.cause) =>
        {
            None
        }
        (_, AppState::Faulty { fault, .. }) => Some((Kind::SubscriptionFaulty, json!(fault))),
        (AppState::Faulty { .. }, AppState::Active { .. }) => Some((Kind::SubscriptionRestored, json!(null))),
        _ => None,
    };
    let told_something = told.is_some();
    table::settle(&mut tx, &row, lease, now.plus_seconds(wait)).await?;
    if let Some((kind, fault)) = told {
        let (object, subject) = (row.object, format!("app:{}", row.object.as_str()));
        // As of one Page or ad account, and of no account: it concerns all.
        let data = json!({ "object": object, "object_id": null, "connection_id": null, "fault": fault });
        events::record(&mut tx, NewEvent::new(None, kind, subject, data), now).await?;
    }
    tx.commit().await?;
    if told_something {
        app.wakes.deliver.notify_one();
    }
    Ok(row)
}

/// The new state, dated from when it began.
fn since(before: AppState, after: AppState, now: Timestamp) -> AppState {
    match (before, after) {
        (
            AppState::Active { since, callback_url: ours, .. },
            AppState::Active { callback_url, fields, .. },
        ) if ours == callback_url => AppState::Active { callback_url, fields, since },
        (AppState::Faulty { fault: known, since }, AppState::Faulty { fault, .. })
            if known.cause.is_same(&fault.cause) =>
        {
            AppState::Faulty { fault, since }
        }
        (_, AppState::Active { callback_url, fields, .. }) => {
            AppState::Active { callback_url, fields, since: now }
        }
        (_, AppState::Faulty { fault, .. }) => AppState::Faulty { fault, since: now },
        (_, AppState::Pending) => AppState::Pending,
    }
}

async fn ask(app: &App, object: Object, take_over: bool) -> Result<Found> {
    let now = app.clock.now();
    let faulty = |fault: SubscriptionFault| Ok(Found::State(AppState::Faulty { fault, since: now }));
    let Some(callback_url) = callback(app).await? else { return faulty(faults::no_service_domain()) };
    if !is_reachable(app, &callback_url) {
        return faulty(faults::host_not_public(&callback_url));
    }
    let credentials = setup::credentials(app).await?;
    let graph = app.graphs.get(&credentials.graph_version)?;
    let verify_token = webhooks::verify_token(app).await?;
    let meta = AtMeta { graph, app: credentials.app, object };
    let outcome = meta.mend(&callback_url, &verify_token, take_over).await;
    match outcome {
        Ok(Ok(fields)) => Ok(Found::State(AppState::Active { callback_url, fields, since: now })),
        Ok(Err(fault)) => faulty(fault),
        Err(error) => match error.refusal() {
            Some(refusal) if refusal.code == Some(CALLBACK_FAILED) => {
                faulty(faults::callback_refused(&callback_url, &refusal.message))
            }
            Some(refusal) if !error.is_passing() && !is_throttle(refusal) => faulty(faults::refused(refusal)),
            _ => {
                tracing::warn!(object = object.as_str(), %error, "the app's subscription could not be looked at");
                Ok(Found::Unanswered)
            }
        },
    }
}

fn is_throttle(refusal: &adjoin_graph::GraphRefusal) -> bool {
    matches!(meta::known(refusal).class, Class::Throttled { .. })
}

/// One object of the app at Meta.
struct AtMeta {
    graph: Graph,
    app: oauth::App,
    object: Object,
}

impl AtMeta {
    /// Reads, writes what is missing beside what is there, and reads again. Answers the fields that Meta shows.
    async fn mend(
        &self,
        callback_url: &str,
        verify_token: &str,
        take_over: bool,
    ) -> std::result::Result<std::result::Result<Vec<String>, SubscriptionFault>, adjoin_graph::Error> {
        let before = self.read().await?;
        if let Some(row) = &before {
            if row.is_ours(callback_url, self.object.fields()) {
                return Ok(Ok(row.fields()));
            }
            let other = row.callback_url.as_deref().filter(|url| *url != callback_url);
            if let Some(other) = other.filter(|_| !take_over) {
                return Ok(Err(faults::other_callback(self.object.as_str(), other, callback_url)));
            }
        }
        let known = before.map(|row| row.fields()).unwrap_or_default();
        let wanted = match self.write(&known, self.object.fields(), callback_url, verify_token).await {
            // A field that this version does not know must not keep the others away.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.code == Some(100)) => {
                self.write(&known, self.object.core_fields(), callback_url, verify_token).await?;
                self.object.core_fields()
            }
            other => {
                other?;
                self.object.fields()
            }
        };
        Ok(match self.read().await? {
            Some(row) if row.is_ours(callback_url, wanted) => Ok(row.fields()),
            shown => {
                let shown = shown.map(|row| row.fields()).unwrap_or_default();
                let missing = wanted.iter().filter(|field| !shown.iter().any(|known| known == *field));
                Err(faults::not_kept(&missing.map(|&field| field.to_owned()).collect::<Vec<_>>()))
            }
        })
    }

    async fn read(&self) -> std::result::Result<Option<Row>, adjoin_graph::Error> {
        let request = Request::get(format!("/{}/subscriptions", self.app.id));
        let rows: Rows = self.graph.send_with_retry(&request, &self.app.access()).await?.parse()?;
        Ok(rows.data.into_iter().find(|row| row.object == self.object.as_str()))
    }

    /// Meta takes the fields as a set, so those that are there are named as well.
    async fn write(
        &self,
        known: &[String],
        wanted: &[&str],
        callback_url: &str,
        verify_token: &str,
    ) -> std::result::Result<(), adjoin_graph::Error> {
        let mut fields: Vec<&str> = known.iter().map(String::as_str).collect();
        fields.extend(wanted.iter().filter(|field| !known.iter().any(|known| known == *field)));
        let request = Request::post(format!("/{}/subscriptions", self.app.id))
            .param("object", self.object.as_str())
            .param("callback_url", callback_url)
            .param("fields", fields.join(","))
            .param("include_values", true)
            .param("verify_token", verify_token);
        self.graph.send(&request, &self.app.access()).await.map(drop)
    }
}

/// What is wrong with the app's own subscription, if anything is.
pub(super) async fn fault(app: &App, object: Object) -> Result<Option<SubscriptionFault>> {
    let row = table::all(&app.db).await?.into_iter().find(|row| row.object == object);
    Ok(row.and_then(|row| match row.state.0 {
        AppState::Faulty { fault, .. } => Some(fault),
        _ => None,
    }))
}

/// Where Meta is to send webhooks; `None` while there is no Service Domain.
pub(super) async fn callback(app: &App) -> Result<Option<String>> {
    let settings = settings::get(app).await?;
    Ok(settings::ServiceOrigin::of(app, &settings).map(|origin| origin.join(PATH)))
}

/// Whether Meta may reach the callback. A Graph on this machine (the sandbox) reaches this machine.
fn is_reachable(app: &App, callback_url: &str) -> bool {
    let graph_is_here = app.config.graph_url.host_str().is_some_and(settings::is_loopback);
    if graph_is_here {
        return true;
    }
    let url = url::Url::parse(callback_url);
    url.is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => {
            let last = name.rsplit('.').next().unwrap_or_default();
            name.contains('.')
                && !["localhost", "local", "internal", "lan", "test", "invalid"].contains(&last)
        }
        Some(url::Host::Ipv4(it)) => {
            !(it.is_loopback() || it.is_private() || it.is_link_local() || it.is_unspecified())
        }
        Some(url::Host::Ipv6(it)) => !(it.is_loopback() || it.is_unique_local() || it.is_unspecified()),
        None => false,
    })
}
