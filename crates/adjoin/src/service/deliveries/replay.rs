use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::endpoints::{must_be_enabled, own};
use crate::{
    audit::Actor,
    id::{DeliveryId, EndpointId},
    service::{
        App, Error, Result,
        api_keys::Reach,
        events::{Pattern, any_matches, listed},
    },
    store::{audit, deliveries as table, events as events_table},
    time::Timestamp,
};

/// Which deliveries of the window are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// Those whose attempts all failed.
    #[default]
    Dead,
    /// All, delivered or not, and events from before the endpoint was there.
    All,
}

/// A window of events to send again.
#[derive(Debug, Clone)]
pub struct Replay {
    pub from: Timestamp,
    /// Not included.
    pub until: Timestamp,
    /// Within the endpoint's own; empty: those.
    pub types: Vec<Pattern>,
    pub only: Only,
}

/// Most events one replay may be about.
const EVENTS_MAX: i64 = 10_000;

/// Sends a window of events again. They keep their ids. Answers how many deliveries are on their way.
pub async fn replay(app: &App, actor: &Actor, reach: &Reach, id: &EndpointId, replay: Replay) -> Result<u64> {
    if replay.from >= replay.until {
        return Err(Error::invalid("until", "it is not after `from`", "a later moment"));
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let row = own(&mut tx, reach, id).await?;
    must_be_enabled(&row)?;
    // A type must be wanted by the endpoint and by the replay.
    let both = |kind| any_matches(&row.types.0, kind) && any_matches(&replay.types, kind);
    let kinds: Vec<Pattern> =
        crate::service::events::Kind::ALL.into_iter().filter(|kind| both(*kind)).map(Pattern::from).collect();
    if kinds.is_empty() {
        return Ok(0);
    }
    let selection = events_table::Selection { account_id: row.account_id.clone(), kinds: listed(&kinds) };
    let window = events_table::Window {
        from: replay.from,
        until: replay.until,
        selection,
        test_leads: row.test_leads,
    };
    let mut count = match replay.only {
        Only::Dead => table::replay_in(&mut tx, id, &window, "dead", now).await?,
        Only::All => {
            let events = events_table::count_in(&mut tx, &window).await?;
            if events > EVENTS_MAX {
                return Err(Error::invalid(
                    "from",
                    format!("the window has {events} events, and a replay may have {EVENTS_MAX}"),
                    "a shorter window, several times; or read them with GET /v1/events",
                ));
            }
            table::replay_in(&mut tx, id, &window, "", now).await?
        }
    };
    if replay.only == Only::All {
        for event in table::never_sent(&mut tx, id, &window, EVENTS_MAX).await? {
            table::insert(&mut tx, id, &event, now).await?;
            count += 1;
        }
    }
    let detail = json!({ "from": replay.from, "until": replay.until, "only": replay.only, "count": count });
    audit::insert(&mut tx, actor, "endpoint.replayed", id.as_str(), detail, now).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    Ok(count)
}

/// Sends one delivery again, from the first attempt.
pub async fn replay_one(app: &App, actor: &Actor, reach: &Reach, id: &DeliveryId) -> Result<()> {
    const NOT_FOUND: Error = Error::NotFound { what: "the delivery" };
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let row = table::by_id(&mut tx, id).await?.ok_or(NOT_FOUND)?;
    let endpoint = own(&mut tx, reach, &row.endpoint_id).await.map_err(|error| match error {
        Error::NotFound { .. } => NOT_FOUND,
        error => error,
    })?;
    must_be_enabled(&endpoint)?;
    // One that is under way counts as sent again.
    table::replay(&mut tx, id, now).await?;
    audit::insert(&mut tx, actor, "delivery.replayed", id.as_str(), json!({}), now).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    Ok(())
}

/// Tries now what waits for its next attempt, and ends the pause of the endpoint. Answers how many deliveries.
pub async fn recover(app: &App, actor: &Actor, reach: &Reach, id: &EndpointId) -> Result<u64> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut row = own(&mut tx, reach, id).await?;
    must_be_enabled(&row)?;
    row.paused_until = None;
    row.updated_at = now;
    crate::store::endpoints::put(&mut tx, &row).await?;
    let count = table::recover(&mut tx, id, now).await?;
    audit::insert(&mut tx, actor, "endpoint.recovered", id.as_str(), json!({ "count": count }), now).await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();
    Ok(count)
}
