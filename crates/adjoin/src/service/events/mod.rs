//! Events: what happened, in one order, for the partner to receive or to read.

mod kind;
mod pattern;
mod read;

use serde_json::Value;

use crate::{
    id::{AccountId, EventId},
    service::{Result, deliveries},
    store::{Json, Tx, endpoints, events as table},
    time::Timestamp,
};

pub use kind::{Kind, UnknownKind};
pub use pattern::{Pattern, any_matches, listed};
pub use read::{Event, Read, read, render};

/// What happened to one subject.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// None: it is the partner's own. Endpoints and keys for all accounts are told, and no others.
    pub account_id: Option<AccountId>,
    pub kind: Kind,
    /// The lead, connection, ad object or endpoint it is about. Events of one subject are delivered in their order.
    pub subject: String,
    /// Nothing personal: a lead is read when its event is sent.
    pub data: Value,
    /// Of a test lead: it goes to those endpoints alone that want them.
    pub is_test: bool,
    /// By what it is known when Meta tells the same again; `None`: it is told once.
    pub change_hash: Option<Vec<u8>>,
}

impl NewEvent {
    /// An event of no test lead, which nobody tells again.
    pub fn new(account_id: Option<AccountId>, kind: Kind, subject: impl Into<String>, data: Value) -> Self {
        Self { account_id, kind, subject: subject.into(), data, is_test: false, change_hash: None }
    }
}

/// Writes the event down in the transaction of the fact that caused it, and puts it on its way to the endpoints that want
/// it. What Meta tells again is there already, and stays as it is. After the commit wake `app.wakes.deliver`.
pub async fn record(tx: &mut Tx, new: NewEvent, now: Timestamp) -> Result<()> {
    let event = table::Stored {
        seq: table::next_number(tx).await?,
        id: EventId::new(),
        account_id: new.account_id,
        kind: new.kind,
        subject: new.subject,
        data: Json(new.data),
        is_test: new.is_test,
        at: now,
    };
    if table::insert(tx, &event, new.change_hash).await? {
        deliveries::fan_out(tx, &event).await
    } else {
        // Numbers have no gaps.
        Ok(table::give_back(tx).await?)
    }
}

/// Writes the test of an endpoint down. It goes to this endpoint alone.
pub(super) async fn record_test(
    tx: &mut Tx,
    endpoint: &endpoints::Stored,
    data: Value,
    now: Timestamp,
) -> Result<table::Stored> {
    let event = table::Stored {
        seq: table::next_number(tx).await?,
        id: EventId::new(),
        account_id: endpoint.account_id.clone(),
        kind: Kind::EndpointTest,
        subject: endpoint.id.to_string(),
        data: Json(data),
        is_test: false,
        at: now,
    };
    table::insert(tx, &event, None).await?;
    Ok(event)
}

/// How long events are kept, in seconds: 90 days, as Meta keeps leads.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;
/// Most events forgotten in one transaction.
const PRUNED: i64 = 1000;

/// Forgets what is older than it is kept, unless it is still on its way. Answers how many events.
pub async fn prune(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    Ok(table::prune(tx, now.plus_seconds(-KEPT_SECONDS), PRUNED).await?)
}
