use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::EndpointPath;
use crate::{
    service::{
        App,
        deliveries::{self, Change, Endpoint},
        events::Pattern,
    },
    web::api::{
        Result,
        caller::Caller,
        describe as docs,
        input::{At, Body},
    },
};

/// What is to be another. What is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointChange {
    url: Option<String>,
    description: Option<String>,
    /// Empty: all types.
    types: Option<Vec<Pattern>>,
    /// Whether it gets events of test leads from now on. Those of before come with a replay.
    test_leads: Option<bool>,
    /// Disabled, what is on its way is held, and new events are not put on their way. Enabled, what was held goes on;
    /// replay the events between.
    enabled: Option<bool>,
}

pub async fn handle(
    caller: Caller,
    State(app): State<App>,
    At(path): At<EndpointPath>,
    Body(input): Body<EndpointChange>,
) -> Result<Json<Endpoint>> {
    let EndpointChange { url, description, types, test_leads, enabled } = input;
    let change = Change { url, description, types, test_leads, enabled };
    let id = &path.endpoint_id;
    Ok(Json(deliveries::change(&app, &caller.actor, &caller.reach, id, change).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "endpoints.change",
        "Change an endpoint",
        "Its address, description, types, whether it gets test leads, and whether it is enabled. What is on its way goes to the new address.",
    )
}
