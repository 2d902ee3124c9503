use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::FormPath;
use crate::{
    service::{
        App,
        canaries::{self, Canary},
    },
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{At, Body},
    },
};

/// How often.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryInput {
    /// Whether a canary is sent every day.
    daily: bool,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<FormPath>,
    Body(input): Body<CanaryInput>,
) -> Result<Json<Canary>> {
    Ok(Json(canaries::set_daily(&app, &account.actor, &account.id, &path.form_id, input.daily).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "forms.canary_daily",
        "Switch the daily canary on or off",
        "Sends a canary through the form every day; the first at once, unless one was sent within a day. When one is lost, \
         `canary.failed` tells it once, with the step at which it was and what to do, and `canary.passed` when one arrives \
         again. While the connection cannot be used none is sent.",
    )
}
