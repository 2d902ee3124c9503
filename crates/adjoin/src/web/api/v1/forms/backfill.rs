use aide::transform::TransformOperation;
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::FormPath;
use crate::{
    service::{
        App,
        forms::{self, Form},
    },
    web::api::{
        Result,
        caller::InAccount,
        describe as docs,
        input::{At, Body},
    },
};

/// How far back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillInput {
    /// Leads of so many days, 1 to 90: Meta does not keep them longer.
    #[schemars(extend("minimum" = 1, "maximum" = 90))]
    days: i64,
}

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<FormPath>,
    Body(input): Body<BackfillInput>,
) -> Result<(StatusCode, Json<Form>)> {
    let form = forms::backfill(&app, &account.actor, &account.id, &path.form_id, input.days).await?;
    Ok((StatusCode::ACCEPTED, Json(form)))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "forms.backfill",
        "Backfill a lead form",
        "Reads the leads of the last days again, at once and in the background. What is here already stays as it is; \
         what is missing is taken in and delivered. `sweep.under_way` is `backfill` while it runs.",
    )
    .response_with::<202, Json<Form>, _>(|response| response.description("It is due"))
}
