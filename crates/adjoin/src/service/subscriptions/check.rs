//! The look at one Page or ad account: asking Meta, and what it means for the row.

use adjoin_marketing::errors::Class;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{
    Arrivals, Cause, Object, RECHECK_SECONDS, State, SubscriptionFault,
    app_level::{self, PATH},
    at_meta::AtMeta,
    faults, page, take_back,
};
use crate::{
    audit::Actor,
    quota::Touched,
    service::{
        App, Error, Result, connections,
        events::{self, Kind, NewEvent},
        leads,
        meta::{self, Line},
        setup,
    },
    store::{Json, subscriptions as table},
    time::Timestamp,
};

/// Rows one step takes, and how many it looks at at once.
const BATCH: i64 = 32;
const AT_ONCE: usize = 4;
/// A look is a few calls, each of 30 seconds at most.
const LEASE_SECONDS: i64 = 10 * 60;
/// What is faulty is looked at sooner: what is mended should count soon.
const FAULTY_SECONDS: i64 = 15 * 60;
/// Nothing is planned further ahead: Meta's limits are waited for a day at most.
const LATEST_SECONDS: i64 = 25 * 60 * 60;
/// After an answer that did not come.
const UNANSWERED_SECONDS: i64 = 2 * 60;

/// The time in which webhooks must have announced leads: from a day ago until the delay that Meta calls normal is over.
const SILENCE_WINDOW_SECONDS: i64 = 24 * 60 * 60;
const SILENCE_DELAY_SECONDS: i64 = 15 * 60;
/// Fewer unannounced leads than this say nothing; from this share of all on (percent) webhooks count as silent.
const SILENT_LEADS: i64 = 3;
const SILENT_PERCENT: i64 = 50;

/// What a look found.
#[derive(Debug)]
pub(super) enum Found {
    Subscribed {
        fields: Vec<String>,
        arrivals: Option<Arrivals>,
    },
    /// `subscribed`: webhooks are to be expected in spite of it.
    Faulty {
        fault: Box<SubscriptionFault>,
        subscribed: bool,
    },
    /// Nothing is known; to be asked again then.
    Unknown {
        again: Timestamp,
    },
}

/// Looks at what is due. True when there may be more.
pub(super) async fn step(app: &App) -> Result<bool> {
    let now = app.clock.now();
    let lease = now.plus_seconds(LEASE_SECONDS);
    if setup::get(app).await?.is_none() {
        return Ok(false);
    }
    let mut tx = app.db.begin_apart().await?;
    let due = table::claim_checks(&mut tx, now, lease, now.plus_seconds(LATEST_SECONDS), BATCH).await?;
    tx.commit().await?;
    let more = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let mut looks = stream::iter(due).map(|row| check(app, row, lease)).buffer_unordered(AT_ONCE);
    // One that fails does not hold up the others; its lease ends by itself.
    let mut failed = None;
    while let Some(outcome) = looks.next().await {
        failed = outcome.err().or(failed);
    }
    failed.map_or(Ok(more), Err)
}

async fn check(app: &App, row: table::Stored, lease: Timestamp) -> Result<()> {
    if row.state.0 == State::Leaving {
        return take_back::leave(app, &row).await;
    }
    let found = match look(app, &row).await {
        Ok(found) => found,
        // The connection went away meanwhile, and its rows with it.
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(error) => of_error(app, &row, error)?,
    };
    let found = silence(app, &row, found).await?;
    settle(app, &row, lease, found).await
}

async fn look(app: &App, row: &table::Stored) -> Result<Found> {
    match look_once(app, row).await? {
        // The Page's token was dead; another one was made. Whether the consent behind it lives shows in asking for it.
        None => Ok(look_once(app, row)
            .await?
            .unwrap_or_else(|| Found::Unknown { again: app.clock.now().plus_seconds(UNANSWERED_SECONDS) })),
        Some(found) => Ok(found),
    }
}

/// `None`: the Page's token was dead and is forgotten.
async fn look_once(app: &App, row: &table::Stored) -> Result<Option<Found>> {
    let access = match row.object {
        Object::Page => {
            connections::page_access(app, &row.account_id, &row.connection_id, &row.object_id).await?
        }
        Object::AdAccount => connections::access(app, &row.account_id, &row.connection_id).await?,
    };
    let app_id = setup::credentials(app).await?.app.id;
    let meta = at_meta(app, row, &access, &app_id);
    if let Err(parked) = meta.line.room() {
        return Ok(Some(Found::Unknown { again: parked.until }));
    }
    let outcome = match row.object {
        Object::Page => page::look(&meta, &access).await,
        Object::AdAccount => look_at_ad_account(&meta).await,
    };
    let error = match outcome {
        Ok(Found::Faulty { fault, subscribed }) => {
            let mut connection = connections::get(app, &row.account_id, &row.connection_id).await?;
            if let Cause::PermissionMissing { permission } = &fault.cause
                && access.granted().contains(permission)
                && is_tested_long_ago(&connection, app.clock.now())
            {
                // It is not what the connection says of itself: it is looked at anew, and tells what it lacks.
                connection = connections::test(app, &Actor::System, &row.account_id, &row.connection_id)
                    .await?
                    .connection;
            }
            let fault = Box::new(faults::remedied(*fault, &connection));
            return Ok(Some(Found::Faulty { fault, subscribed }));
        }
        Ok(found) => return Ok(Some(found)),
        Err(error) => error,
    };
    let Some(refusal) = error.refusal() else { return Err(error.into()) };
    if connections::is_dead_page_token(&access, &error) {
        connections::report_refusal(app, &access, &error).await?;
        return Ok(None);
    }
    let known = meta::known(refusal);
    Ok(Some(match known.class {
        Class::Reconnect | Class::ActionOnFacebook => {
            connections::report_refusal(app, &access, &error).await?;
            Found::Faulty {
                fault: Box::new(faults::token_dead(&known.what, known.who, &known.next_step)),
                subscribed: row.state.0.subscribed_since().is_some(),
            }
        }
        Class::Throttled { .. } => return Err(error.into()),
        _ if error.is_passing() => return Err(error.into()),
        _ => Found::Faulty { fault: Box::new(faults::refused(refusal)), subscribed: false },
    }))
}

/// A test makes all of the connection's subscriptions due, and may find nothing: Meta can refuse for one Page what the
/// token as a whole was granted. Tested at each look, it would never end.
fn is_tested_long_ago(connection: &connections::Connection, now: Timestamp) -> bool {
    connection.checked_at.is_none_or(|at| at.plus_seconds(RECHECK_SECONDS) <= now)
}

pub(super) fn at_meta<'a>(
    app: &'a App,
    row: &'a table::Stored,
    access: &connections::Access,
    app_id: &'a str,
) -> AtMeta<'a> {
    let touched = match row.object {
        Object::Page => Touched::page(&row.object_id, &row.connection_id),
        Object::AdAccount => Touched {
            ad_account: Some(row.object_id.clone()),
            object: None,
            connection: row.connection_id.clone(),
        },
    };
    let line = Line { app, graph: access.graph.clone(), token: access.token.clone(), touched };
    AtMeta { line, object: row.object, object_id: &row.object_id, app_id }
}

/// An ad account's fields are those of the app, so all there is to see is whether the app is there.
async fn look_at_ad_account(meta: &AtMeta<'_>) -> std::result::Result<Found, adjoin_graph::Error> {
    let fields = || Object::AdAccount.fields().iter().map(|&field| field.to_owned()).collect();
    if meta.fields().await?.is_some() {
        return Ok(Found::Subscribed { fields: fields(), arrivals: None });
    }
    if let Err(error) = meta.subscribe(&[]).await {
        let role = error.refusal().is_some_and(|refusal| matches!(refusal.code, Some(3 | 10 | 200..=299)));
        if role {
            let fault = Box::new(faults::no_admin_of_ad_account());
            return Ok(Found::Faulty { fault, subscribed: false });
        }
        return Err(error);
    }
    Ok(match meta.fields().await? {
        Some(_) => Found::Subscribed { fields: fields(), arrivals: None },
        None => Found::Faulty { fault: Box::new(faults::not_kept(&fields())), subscribed: false },
    })
}

/// What a look that failed says about the subscription.
fn of_error(app: &App, row: &table::Stored, error: Error) -> Result<Found> {
    let now = app.clock.now();
    let subscribed = row.state.0.subscribed_since().is_some();
    Ok(match error {
        Error::NotReady { message, who, next_step } | Error::Broken { message, who, next_step } => {
            Found::Faulty { fault: Box::new(faults::token_dead(message, who, next_step)), subscribed }
        }
        Error::Unpermitted { message, who, next_step } => {
            Found::Faulty { fault: Box::new(faults::no_page_token(message, who, next_step)), subscribed }
        }
        Error::Throttled { retry_after, .. } => {
            Found::Unknown { again: now.plus_seconds(i64::try_from(retry_after).unwrap_or(FAULTY_SECONDS)) }
        }
        Error::Meta(error) => match error.class {
            Class::Reconnect | Class::ActionOnFacebook => Found::Faulty {
                fault: Box::new(faults::token_dead(error.message, error.who, error.next_step)),
                subscribed,
            },
            Class::MissingPermission | Class::MissingRole | Class::Gone => Found::Faulty {
                fault: Box::new(SubscriptionFault {
                    cause: Cause::Refused {
                        code: code(&error.meta, "code"),
                        subcode: code(&error.meta, "error_subcode"),
                    },
                    message: error.message,
                    who: error.who,
                    next_step: error.next_step,
                }),
                subscribed: false,
            },
            _ => {
                let wait =
                    error.retry_after.and_then(|wait| i64::try_from(wait).ok()).unwrap_or(UNANSWERED_SECONDS);
                tracing::info!(
                    object = row.object.as_str(),
                    object_id = row.object_id,
                    error.message,
                    "a subscription could not be looked at"
                );
                Found::Unknown { again: now.plus_seconds(wait) }
            }
        },
        other => return Err(other),
    })
}

fn code(meta: &serde_json::Value, name: &str) -> Option<i64> {
    meta.get("error")?.get(name)?.as_i64()
}

/// Whether webhooks that Meta shows as subscribed come at all.
async fn silence(app: &App, row: &table::Stored, found: Found) -> Result<Found> {
    let fields = match (found, row.object) {
        (Found::Subscribed { fields, .. }, Object::Page) => fields,
        (found, _) => return Ok(found),
    };
    let now = app.clock.now();
    let from =
        row.state.0.subscribed_since().map(|since| since.max(now.plus_seconds(-SILENCE_WINDOW_SECONDS)));
    let until = now.plus_seconds(-SILENCE_DELAY_SECONDS);
    let Some(from) = from.filter(|from| *from < until) else {
        return Ok(Found::Subscribed { fields, arrivals: None });
    };
    let arrivals = table::announced(&app.db, &row.account_id, &row.object_id, from, until).await?;
    let Arrivals { leads, unannounced } = arrivals;
    if unannounced < SILENT_LEADS || unannounced * 100 < leads * SILENT_PERCENT {
        return Ok(Found::Subscribed { fields, arrivals: Some(arrivals) });
    }
    let others_arrive = table::any_announced(&app.db, from).await?;
    let callback = app_level::callback(app).await?.unwrap_or_else(|| PATH.to_owned());
    let mut fault = faults::silent(leads, unannounced, others_arrive, &callback);
    // The app's own subscription may know better why.
    if let Some(known) = app_level::fault(app, row.object).await? {
        fault.message = format!("{} {}", fault.message, known.message);
        (fault.who, fault.next_step) = (known.who, known.next_step);
    }
    Ok(Found::Faulty { fault: Box::new(fault), subscribed: true })
}

/// Writes down what was found, and tells the partner what changed.
async fn settle(app: &App, row: &table::Stored, lease: Timestamp, found: Found) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let Some(mut current) = table::for_update(&mut tx, &row.account_id, row.object, &row.object_id).await?
    else {
        return Ok(());
    };
    // It leaves, or it is another connection's now: what was seen is of the past.
    if current.state.0 == State::Leaving || current.connection_id != row.connection_id {
        return Ok(());
    }
    let before = current.state.0.clone();
    let next = match found {
        Found::Unknown { again } => again,
        Found::Subscribed { fields, arrivals } => {
            let since = before.subscribed_since().unwrap_or(now);
            current.state = Json(State::Active { fields, since, arrivals });
            current.checked_at = Some(now);
            now.plus_seconds(RECHECK_SECONDS)
        }
        Found::Faulty { fault, subscribed } => {
            let since = match &before {
                State::Faulty { fault: known, since, .. } if known.cause.is_same(&fault.cause) => *since,
                _ => now,
            };
            let subscribed_since = subscribed.then(|| before.subscribed_since().unwrap_or(now));
            let told = fault.cause.is_told() || matches!(before, State::Faulty { told: true, .. });
            current.state = Json(State::Faulty { fault: *fault, since, subscribed_since, told });
            current.checked_at = Some(now);
            now.plus_seconds(FAULTY_SECONDS)
        }
    };
    table::settle_check(&mut tx, &current, lease, next).await?;
    let told = match (&before, &current.state.0) {
        (_, State::Faulty { fault, .. })
            if fault.cause.is_told()
                && !before.fault().is_some_and(|known| known.cause.is_same(&fault.cause)) =>
        {
            Some((Kind::SubscriptionFaulty, json!(fault)))
        }
        (State::Faulty { told: true, .. }, State::Active { .. }) => {
            Some((Kind::SubscriptionRestored, json!(null)))
        }
        _ => None,
    };
    let readable = |state: &State| match state {
        State::Active { .. } => true,
        State::Faulty { fault, .. } => fault.cause.leaves_leads(),
        State::Pending | State::Leaving => false,
    };
    // Leads that waited for the cause that has just ended are worth another try.
    let drains = current.object == Object::Page && readable(&current.state.0) && !readable(&before);
    let told_something = told.is_some();
    if let Some((kind, fault)) = told {
        let data = json!({
            "object": current.object, "object_id": current.object_id, "connection_id": current.connection_id, "fault": fault,
        });
        let subject = format!("{}:{}", current.object.as_str(), current.object_id);
        let event = NewEvent::new(Some(current.account_id.clone()), kind, subject, data);
        events::record(&mut tx, event, now).await?;
    }
    tx.commit().await?;
    if told_something {
        app.wakes.deliver.notify_one();
    }
    if drains {
        leads::drain(app, &current.account_id, Some(&current.object_id)).await;
    }
    Ok(())
}
