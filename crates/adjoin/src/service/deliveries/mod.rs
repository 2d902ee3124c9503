//! Deliveries: events on their way to the partner's endpoints, signed, retried, replayable.
//!
//! A delivery is a row, written with its event. It goes through a chain of types: `Claimed` (ours for a minute), `Sent` (the
//! endpoint has answered, or not), settled (the row says what came of it). Lost on the way, as by a crash, it is claimed
//! again when its lease ends: it arrives at least once, and always with the same `webhook-id`. Of one subject at one
//! endpoint only the earliest is ever claimed.

pub mod address;
mod claim;
mod courier;
mod endpoints;
mod replay;
mod schedule;
mod send;
mod settle;
mod sign;
mod state;
mod view;

use crate::{
    service::{App, Result, events},
    store::{Tx, deliveries as table, endpoints as endpoints_table, events as events_table},
};

pub use courier::{Courier, run};
pub use endpoints::{
    Change, Endpoint, NewEndpoint, Secret, change, create, delete, get, list, rotate_secret, test,
};
pub use replay::{Only, Replay, recover, replay, replay_one};
pub use send::Sender;
pub use state::{Cause, State, Status};
pub use view::{Attempt, Delivery, DeliveryDetail, counts, counts_of, delivery, list_deliveries, of_subject};

/// Does what is due now and waits until all of it has ended. True when there is more to do at once: never.
pub async fn step(app: &App) -> Result<bool> {
    Courier::default().until_idle(app).await?;
    Ok(false)
}

/// Forgets old events and counts what waits. True when there is more to forget at once.
pub async fn tidy(app: &App) -> Result<bool> {
    let waiting = table::waiting(&app.db).await?;
    app.metrics.deliveries_waiting(waiting);
    let mut tx = app.db.begin_apart().await?;
    let forgotten = events::prune(&mut tx, app.clock.now()).await?;
    tx.commit().await?;
    Ok(forgotten > 0)
}

/// Puts an event on its way to the endpoints that want it, in the event's transaction.
pub async fn fan_out(tx: &mut Tx, event: &events_table::Stored) -> Result<()> {
    for listener in endpoints_table::listeners(tx, event.account_id.as_ref()).await? {
        let wants = events::any_matches(&listener.types.0, event.kind);
        if wants && (listener.test_leads || !event.is_test) {
            table::insert(tx, &listener.id, event, event.at).await?;
        }
    }
    Ok(())
}
