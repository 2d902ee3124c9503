//! Events: what happened, in one order, for the partner to receive or to read.

mod kind;

use serde_json::Value;

use crate::{
    id::{AccountId, EventId},
    service::Result,
    store::{Json, Tx, events as table},
    time::Timestamp,
};

pub use kind::Kind;

/// What happened to one subject.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub account_id: AccountId,
    pub kind: Kind,
    /// The lead, connection or ad object it is about. Events of one subject are delivered in their order.
    pub subject: String,
    /// Nothing personal: a lead is read when its event is sent.
    pub data: Value,
}

/// Writes the event down in the transaction of the fact that caused it. After the commit wake `app.wakes.deliver`.
pub async fn record(tx: &mut Tx, new: NewEvent, now: Timestamp) -> Result<EventId> {
    let event = table::Stored {
        seq: table::next_number(tx).await?,
        id: EventId::new(),
        account_id: new.account_id,
        kind: new.kind.as_str().to_owned(),
        subject: new.subject,
        data: Json(new.data),
        at: now,
    };
    table::insert(tx, &event).await?;
    Ok(event.id)
}
