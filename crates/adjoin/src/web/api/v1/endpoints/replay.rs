use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{DISABLED, EndpointPath, OnTheirWay};
use crate::{
    service::{
        App,
        deliveries::{self, Only, Replay},
        events::Pattern,
    },
    time::Timestamp,
    web::api::{
        Result,
        caller::Caller,
        describe as docs,
        input::{At, Body},
    },
};

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayInput {
    /// Events that happened at this moment or later.
    from: Timestamp,
    /// And before this one.
    until: Timestamp,
    /// Only these types, of those that the endpoint takes.
    #[serde(default)]
    types: Vec<Pattern>,
    #[serde(default)]
    only: Only,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
    Body(input): Body<ReplayInput>,
) -> Result<(StatusCode, Json<OnTheirWay>)> {
    let replay = Replay { from: input.from, until: input.until, types: input.types, only: input.only };
    let deliveries =
        deliveries::replay(&app, &caller.actor, &caller.reach, &path.endpoint_id, replay).await?;
    Ok((StatusCode::ACCEPTED, Json(OnTheirWay { deliveries })))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let operation = docs::operation(
        operation,
        "endpoints.replay",
        "Send events again",
        "Sends the events of a window of time again, with their ids. `only` is `dead` (those whose attempts all failed) or \
         `all`: whatever came of them, and events from before the endpoint was there; of these at most 10,000 at once.",
    )
    .response_with::<202, Json<OnTheirWay>, _>(|response| response.description("They are on their way"));
    docs::problems(operation, &[DISABLED])
}
