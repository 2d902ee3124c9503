//! What partners see of a form's canary, and what they ask for.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Asked, Outcome, Run, Way, run::DAY_SECONDS};
use crate::{
    audit::Actor,
    id::AccountId,
    service::{App, Error, Result},
    store::{Tx, audit, canaries as table, forms},
    time::Timestamp,
};

/// The canary of a form: a test lead that Adjoin sends through it, to see that the way to the partner works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Canary {
    /// Whether one is sent every day.
    pub daily: bool,
    /// The run under way.
    pub under_way: Option<UnderWay>,
    /// When the next one is sent by itself.
    pub next_at: Option<Timestamp>,
    /// How the last run ended.
    pub last: Option<Outcome>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "CanaryUnderWay")]
pub struct UnderWay {
    pub stage: Stage,
    pub way: Way,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CanaryStage")]
pub enum Stage {
    /// It is to be sent.
    Sending,
    /// It is waited for, for 15 minutes at most.
    Waiting,
    /// It is deleted at Meta.
    Removing,
}

impl Canary {
    fn of(row: table::Stored) -> Self {
        let table::Stored { daily, state, due_at, .. } = row;
        let under_way = state.0.run.map(|run| match run {
            Run::Asked { .. } => UnderWay { stage: Stage::Sending, way: Way::default() },
            Run::Sent { way, .. } => UnderWay { stage: Stage::Waiting, way },
            Run::Removing { outcome, .. } => UnderWay { stage: Stage::Removing, way: outcome.way().clone() },
        });
        let next_at = due_at.filter(|_| daily && under_way.is_none());
        Self { daily, under_way, next_at, last: state.0.last }
    }
}

/// The canary of a form, if one was ever asked for.
pub async fn get(app: &App, account: &AccountId, form_id: &str) -> Result<Option<Canary>> {
    Ok(table::by_id(&app.db, account, form_id).await?.map(Canary::of))
}

/// Sends one at once, in the background.
pub async fn run_now(app: &App, actor: &Actor, account: &AccountId, form_id: &str) -> Result<Canary> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let mut row = held(&mut tx, account, form_id).await?;
    if row.state.0.run.is_some() {
        return Err(Error::Conflict {
            message: "a canary of this form is under way, and Meta allows a form one test lead".to_owned(),
            next_step:
                "look at the form's `canary` until it has ended, 15 minutes after it was sent at the latest"
                    .to_owned(),
        });
    }
    row.state.0.run = Some(Run::Asked { at: now, by: Asked::ByHand });
    row.due_at = Some(now);
    table::put(&mut tx, &row).await?;
    audit::insert(&mut tx, actor, "canary.asked", form_id, json!({ "account": account }), now).await?;
    tx.commit().await?;
    app.wakes.canary.notify_one();
    Ok(Canary::of(row))
}

/// Switches the daily canary on or off. Switched on, one is sent at once, unless one was within a day.
pub async fn set_daily(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    form_id: &str,
    daily: bool,
) -> Result<Canary> {
    let now = app.clock.now();
    let mut tx = app.db.begin_apart().await?;
    let mut row = held(&mut tx, account, form_id).await?;
    if row.daily != daily {
        row.daily = daily;
        if row.state.0.run.is_none() {
            let next =
                row.state.0.last.as_ref().map_or(now, |last| last.at().plus_seconds(DAY_SECONDS).max(now));
            row.due_at = daily.then_some(next);
        }
        table::put(&mut tx, &row).await?;
        let action = if daily { "canary.switched_on" } else { "canary.switched_off" };
        audit::insert(&mut tx, actor, action, form_id, json!({ "account": account }), now).await?;
    }
    tx.commit().await?;
    app.wakes.canary.notify_one();
    Ok(Canary::of(row))
}

/// The row of a form of this account, made where there is none.
async fn held(tx: &mut Tx, account: &AccountId, form_id: &str) -> Result<table::Stored> {
    const NOT_FOUND: Error = Error::NotFound { what: "the form" };
    forms::by_id_for_update(tx, account, form_id).await?.ok_or(NOT_FOUND)?;
    table::insert_if_absent(tx, account, form_id).await?;
    table::by_id_for_update(tx, account, form_id).await?.ok_or(NOT_FOUND)
}
