use aide::transform::TransformOperation;
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Settings;
use crate::{
    service::{App, settings},
    web::api::{Result, caller::Partner, describe as docs, input::Body},
};

/// What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// Your name, as accounts see it on the connect page.
    partner_name: Option<String>,
    /// Host (and port) under which people reach this service, such as `connect.example.com`. Empty clears it.
    service_domain: Option<String>,
    /// Where a connect session may send the browser back to; replaces the whole list.
    return_urls: Option<Vec<String>>,
    /// Origins that may frame or open the connect page; replaces the whole list.
    embed_origins: Option<Vec<String>>,
    /// Whether connect links without a backend's completion are allowed. Off unless it was switched on.
    links_allowed: Option<bool>,
}

pub async fn handle(
    caller: Partner,
    State(app): State<App>,
    Body(body): Body<SettingsChange>,
) -> Result<Json<Settings>> {
    let change = settings::Change {
        partner_name: body.partner_name,
        service_domain: body.service_domain,
        return_urls: body.return_urls,
        embed_origins: body.embed_origins,
        links_allowed: body.links_allowed,
    };
    let settings = settings::change(&app, &caller.actor, change).await?;
    Ok(Json(Settings::of(&app, settings).await?))
}

pub fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    docs::operation(
        operation,
        "settings.change",
        "Change the settings",
        "Changes what is given. All faults are named at once, and then nothing changes.",
    )
}
