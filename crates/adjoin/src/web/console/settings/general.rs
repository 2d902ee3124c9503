//! Settings > General.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    service::{
        App,
        settings::{self, Change, ServiceOrigin, Settings},
    },
    web::console::{
        Frame, Page, Result,
        done::Done,
        input::Form,
        parts::{Copy, Field, Refusal},
    },
};

#[derive(Debug, Template)]
#[template(path = "console/settings/general.html")]
pub struct General {
    frame: Frame,
    form: Given,
    refusal: Refusal,
    /// The domain that the machine's configuration sets, which then wins.
    fixed_domain: Option<String>,
    redirect_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Given {
    partner_name: String,
    #[serde(default)]
    service_domain: String,
    return_urls: String,
    embed_origins: String,
    /// A box that is not ticked is not sent.
    links_allowed: Option<String>,
}

impl From<&Settings> for Given {
    fn from(settings: &Settings) -> Self {
        Self {
            partner_name: settings.partner_name.clone(),
            service_domain: settings.service_domain.clone().unwrap_or_default(),
            return_urls: settings.return_urls.0.join("\n"),
            embed_origins: settings.embed_origins.0.join("\n"),
            links_allowed: settings.links_allowed.then(|| "on".to_owned()),
        }
    }
}

pub async fn show(State(app): State<App>, frame: Frame) -> Result<Page<General>> {
    let settings = settings::get(&app).await?;
    Ok(Page::new(general(&app, frame, &settings, Given::from(&settings), Refusal::default())))
}

pub async fn submit(State(app): State<App>, frame: Frame, Form(form): Form<Given>) -> Result<Response> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let change = Change {
        partner_name: Some(form.partner_name.clone()),
        service_domain: app.config.service_domain.is_none().then(|| form.service_domain.clone()),
        return_urls: Some(lines(&form.return_urls)),
        embed_origins: Some(lines(&form.embed_origins)),
        links_allowed: Some(form.links_allowed.is_some()),
    };
    match settings::change(&app, &frame.actor(), change).await {
        Ok(_) => Ok(Done::SettingsSaved.at("/settings").into_response()),
        Err(error) => {
            let refusal = Refusal::from_error(error)?;
            let settings = settings::get(&app).await?;
            Ok(Page::refused(general(&app, frame, &settings, form, refusal)).into_response())
        }
    }
}

fn general(app: &App, frame: Frame, settings: &Settings, form: Given, refusal: Refusal) -> General {
    General {
        frame,
        form,
        refusal,
        fixed_domain: app.config.service_domain.clone(),
        redirect_uri: ServiceOrigin::of(app, settings).map(|origin| origin.redirect_uri()),
    }
}
