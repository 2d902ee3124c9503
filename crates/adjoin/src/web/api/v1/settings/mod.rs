pub mod change;
pub mod get;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    service::{
        App,
        settings::{self, ServiceOrigin},
        setup,
    },
    web::api::Result,
};

/// The partner's general settings.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Settings {
    /// Your name, as accounts see it on the connect page.
    pub partner_name: String,
    /// Names you in `/connector/callback/{partner_key}`.
    pub partner_key: String,
    /// Host (and port) under which people reach this service, without a scheme.
    pub service_domain: Option<String>,
    /// What to register at Meta as the valid OAuth redirect URI: with the partner key where the setup says so. Null until there
    /// is a Service Domain.
    pub redirect_uri: Option<String>,
    /// Where a connect session may send the browser back to, each matched exactly.
    pub return_urls: Vec<String>,
    /// Origins that may frame or open the connect page.
    pub embed_origins: Vec<String>,
    /// Whether connect links without a backend's completion are allowed. Off unless it was switched on.
    pub links_allowed: bool,
}

impl Settings {
    async fn of(app: &App, settings: settings::Settings) -> Result<Self> {
        let setup = setup::get(app).await?;
        let origin = ServiceOrigin::of(app, &settings);
        let redirect_uri = origin.map(|origin| origin.used_redirect_uri(&settings, setup.as_ref()));
        Ok(Self {
            service_domain: app.config.service_domain.clone().or(settings.service_domain),
            redirect_uri,
            partner_name: settings.partner_name,
            partner_key: settings.partner_key,
            return_urls: settings.return_urls.0,
            embed_origins: settings.embed_origins.0,
            links_allowed: settings.links_allowed,
        })
    }
}
