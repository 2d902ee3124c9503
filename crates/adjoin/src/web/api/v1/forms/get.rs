use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::FormPath;
use crate::{
    service::{
        App,
        forms::{self, FormDetail},
    },
    web::api::{Result, caller::InAccount, describe as docs, input::At},
};

pub async fn handle(
    account: InAccount,
    State(app): State<App>,
    At(path): At<FormPath>,
) -> Result<Json<FormDetail>> {
    Ok(Json(forms::get(&app, &account.id, &path.form_id).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "forms.get",
        "Get a lead form",
        "A form with its completeness, its sweep, its canary, and its versions: labels of questions change, and each lead \
         names the version that it answered.",
    )
}
