use adjoin_marketing::ad_set::Report;
use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::call::Arguments;
use crate::{
    service::{App, methods},
    web::api::{Result, caller::Caller, describe as docs},
};

pub async fn handle(_: Caller, State(app): State<App>, Arguments(document): Arguments) -> Result<Json<Report>> {
    Ok(Json(methods::validate(&app, &document)?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "methods.validate",
        "Check an ad set",
        "Checks `{ad_set, campaign?, ad_account?, existing?, api_version?}` against Meta's rules, here and without a \
         connection. The answer is the verdict and every finding, whether it is accepted or not.",
    )
}
