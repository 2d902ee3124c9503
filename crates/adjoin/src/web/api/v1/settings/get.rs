use aide::transform::TransformOperation;
use axum::{Json, extract::State};

use super::Settings;
use crate::{
    service::{App, settings},
    web::api::{Result, caller::Partner, describe as docs},
};

pub async fn handle(_: Partner, State(app): State<App>) -> Result<Json<Settings>> {
    let settings = settings::get(&app).await?;
    Ok(Json(Settings::of(&app, settings).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "settings.get",
        "Read the settings",
        "What stands at *Settings > General* in the console. Needs a key for all accounts.",
    )
}
