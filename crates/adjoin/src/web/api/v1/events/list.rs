use std::time::Duration;

use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::AccountId,
    service::{
        App,
        events::{self, Event, Pattern},
    },
    web::api::{
        Result,
        caller::Caller,
        describe as docs,
        input::{Limit, Query},
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Events behind this number: `next` of the answer before, or 0.
    #[serde(default)]
    after: Number<{ i64::MAX }>,
    /// Only these types, with commas: `lead.created,connection.*`.
    #[serde(default)]
    types: Types,
    /// Only events of this account.
    account_id: Option<AccountId>,
    /// Most events of an answer, 1 to 100.
    #[serde(default)]
    limit: Limit,
    /// Wait for the first so many seconds, 0 to 20.
    #[serde(default)]
    wait: Number<20>,
}

/// A whole number, 0 to `MAX`.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "u64", inline)]
pub struct Number<const MAX: i64>(i64);

impl<const MAX: i64> TryFrom<String> for Number<MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = text.parse().ok().filter(|number| (0..=MAX).contains(number));
        number.map(Self).ok_or_else(|| format!("it is not a number within the limits, expected 0 to {MAX}"))
    }
}

/// Types of events with commas between them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", inline)]
pub struct Types(Vec<Pattern>);

impl TryFrom<String> for Types {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let types = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        types.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// Events in their order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventList {
    pub data: Vec<Event>,
    /// Send it as `after` to read on, now or later.
    pub next: i64,
    /// Whether there are more already.
    pub more: bool,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventList>> {
    let wait = Duration::from_secs(query.wait.0.unsigned_abs());
    let read = events::read(
        &app,
        &caller.reach,
        query.account_id,
        &query.types.0,
        query.after.0,
        query.limit.0,
        wait,
    )
    .await?;
    Ok(Json(EventList { data: read.events, next: read.next, more: read.more }))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "events.list",
        "Read events",
        "All that happened, in one order, for 90 days: to reconcile with what was delivered, or instead of deliveries. \
         Test leads are among them, marked `is_test`. What Meta tells again of a lead or an ad is one event as long as Meta \
         says the same time. \
         Keep `next` and go on from it; an event is never visible after a later one. A number beyond the newest is refused with \
         422: the database was set back to a backup. With `wait` the answer comes as \
         soon as there is an event, or without one when the time is over.",
    )
}
