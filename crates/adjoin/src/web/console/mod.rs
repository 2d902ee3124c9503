//! The console: pages for the partner's operators, made on the server. Every form works without a script.

mod accounts;
mod ads;
mod charts;
mod connections;
mod connectors;
mod done;
mod endpoints;
mod failure;
mod forms;
mod input;
mod leads;
mod next;
mod overview;
mod parts;
mod quarantine;
mod rules;
mod session;
mod settings;
mod sign_in;
mod welcome;
pub mod words;

use askama::Template;
use axum::{
    Router,
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde::Deserialize;
use tower_http::csrf::CsrfLayer;

use crate::{
    audit::Actor,
    service::{self, App},
    time::Timestamp,
    web::reader,
};

use done::Done;
pub use failure::Failure;
use session::Session;

type Result<T, E = Failure> = std::result::Result<T, E>;

/// The console's routes. Its forms are refused when another site sends them.
pub fn router(app: &App) -> Router<App> {
    let limits = sign_in::Limits::new(&app.clock);
    Router::new()
        .route("/", get(overview::show))
        .route("/welcome", get(welcome::show).post(welcome::submit))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::leave))
        .route("/settings", get(settings::general::show).post(settings::general::submit))
        .route("/settings/api-keys", get(settings::api_keys::show).post(settings::api_keys::create))
        .route(
            "/settings/api-keys/{id}/revoke",
            get(settings::api_keys::confirm).post(settings::api_keys::revoke),
        )
        .route("/rules", get(rules::show))
        .route("/connectors", get(connectors::library::show))
        .route(
            "/connectors/facebook-marketing/setup",
            get(connectors::setup::show).post(connectors::setup::submit),
        )
        .route("/connectors/facebook-marketing/webhooks", get(connectors::webhooks::show))
        .route(
            "/connectors/facebook-marketing/webhooks/{object}/take-over",
            get(connectors::webhooks::confirm).post(connectors::webhooks::take_over),
        )
        .route("/leads", get(leads::list::of_all))
        .route("/leads/retry", get(leads::actions::back).post(leads::actions::retry_all))
        .route("/accounts/{account}/leads", get(leads::list::of_account))
        .route(
            "/accounts/{account}/leads/retry",
            get(leads::actions::back_to_account).post(leads::actions::retry_account),
        )
        .route("/accounts/{account}/leads/{lead}", get(leads::page::show))
        .route(
            "/accounts/{account}/leads/{lead}/retry",
            get(leads::actions::back_to_lead).post(leads::actions::retry),
        )
        .route(
            "/accounts/{account}/leads/{lead}/erase",
            get(leads::actions::confirm_erase).post(leads::actions::erase),
        )
        .route("/endpoints", get(endpoints::list::show))
        .route("/endpoints/new", get(endpoints::edit::new).post(endpoints::edit::create))
        .route("/endpoints/{endpoint}", get(endpoints::page::show))
        .route("/endpoints/{endpoint}/edit", get(endpoints::edit::show).post(endpoints::edit::submit))
        .route(
            "/endpoints/{endpoint}/delete",
            get(endpoints::delete::confirm).post(endpoints::delete::submit),
        )
        .route("/endpoints/{endpoint}/test", button(post(endpoints::actions::test)))
        .route("/endpoints/{endpoint}/secret", button(post(endpoints::actions::rotate_secret)))
        .route("/endpoints/{endpoint}/enable", button(post(endpoints::actions::enable)))
        .route("/endpoints/{endpoint}/disable", button(post(endpoints::actions::disable)))
        .route("/endpoints/{endpoint}/recover", button(post(endpoints::actions::recover)))
        .route("/endpoints/{endpoint}/replay", button(post(endpoints::actions::replay)))
        .route("/endpoints/{endpoint}/replay-dead", button(post(endpoints::actions::replay_dead)))
        .route("/deliveries/{delivery}", get(endpoints::delivery::show))
        .route(
            "/deliveries/{delivery}/replay",
            get(endpoints::delivery::back).post(endpoints::delivery::replay),
        )
        .route("/quarantine", get(quarantine::show))
        .route("/accounts/{account}/forms", get(forms::list::show))
        .route("/accounts/{account}/forms/sweep", get(forms::actions::back).post(forms::actions::sweep))
        .route("/accounts/{account}/forms/{form}", get(forms::form::show))
        .route(
            "/accounts/{account}/forms/{form}/backfill",
            get(forms::form::show).post(forms::form::backfill),
        )
        .route("/accounts/{account}/forms/{form}/canary", get(forms::form::show).post(forms::form::canary))
        .route(
            "/accounts/{account}/forms/{form}/canary/daily",
            get(forms::form::show).post(forms::form::daily_canary),
        )
        .route(
            "/accounts/{account}/subscriptions/check",
            get(forms::actions::back).post(forms::actions::check),
        )
        .route("/accounts", get(accounts::list::show))
        .route("/accounts/new", get(accounts::create::show).post(accounts::create::submit))
        .route("/accounts/{account}", get(accounts::page::show))
        .route("/accounts/{account}/rename", post(accounts::page::rename))
        .route("/accounts/{account}/delete", get(accounts::delete::confirm).post(accounts::delete::submit))
        .route("/accounts/{account}/install", post(accounts::page::install))
        .route("/accounts/{account}/connections/{connection}", get(connections::page::show))
        .route(
            "/accounts/{account}/connections/{connection}/test",
            get(connections::actions::back).post(connections::actions::test),
        )
        .route(
            "/accounts/{account}/connections/{connection}/link",
            get(connections::actions::back).post(connections::actions::link),
        )
        .route(
            "/accounts/{account}/connections/{connection}/accept",
            get(connections::actions::back).post(connections::actions::accept),
        )
        .route(
            "/accounts/{account}/connections/{connection}/disconnect",
            get(connections::disconnect::confirm).post(connections::disconnect::submit),
        )
        .route(
            "/accounts/{account}/connections/{connection}/campaigns/new",
            get(ads::campaign::show).post(ads::campaign::submit),
        )
        .route("/accounts/{account}/connections/{connection}/campaigns/{id}", get(ads::show::campaign))
        .route(
            "/accounts/{account}/connections/{connection}/ad-sets/new",
            get(ads::ad_set::show).post(ads::ad_set::submit),
        )
        .route("/accounts/{account}/connections/{connection}/ad-sets/{id}", get(ads::show::ad_set))
        .method_not_allowed_fallback(reader::wrong_verb)
        .layer(axum::Extension(limits))
        .layer(CsrfLayer::new().with_rejection_response(|_| Failure::cross_site().into_response()))
}

/// A button of an endpoint's page; its address leads back there.
fn button(press: MethodRouter<App>) -> MethodRouter<App> {
    press.get(endpoints::actions::back)
}

/// What every page behind sign-in shows around its content.
#[derive(Debug, Clone)]
pub struct Frame {
    session: Session,
    partner_name: String,
    /// The first part of the path: which entry of the navigation is current.
    section: String,
    /// What the form before this page has done.
    done: Option<Done>,
    now: Timestamp,
}

impl Frame {
    fn actor(&self) -> Actor {
        self.session.actor()
    }

    fn when(&self, at: &Timestamp) -> parts::When {
        parts::When { at: *at, now: self.now }
    }

    /// When something is done by itself: in a moment, where its time has come.
    fn due(&self, at: &Timestamp) -> parts::When {
        self.when(at.max(&self.now.plus_seconds(1)))
    }
}

#[derive(Debug, Deserialize)]
struct DoneQuery {
    done: Option<String>,
}

impl FromRequestParts<App> for Frame {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let settings = service::settings::get(app).await.map_err(|e| Failure::from(e).into_response())?;
        let section = parts.uri.path().split('/').nth(1).unwrap_or_default().to_owned();
        let query = Query::<DoneQuery>::try_from_uri(&parts.uri).ok();
        let done = query.and_then(|Query(query)| query.done).and_then(|code| Done::from_code(&code));
        Ok(Self { session, partner_name: settings.partner_name, section, done, now: app.clock.now() })
    }
}

/// A page: its template, and the status it is sent with.
#[derive(Debug)]
pub struct Page<T>(StatusCode, T);

impl<T> Page<T> {
    pub fn new(template: T) -> Self {
        Self(StatusCode::OK, template)
    }

    /// A form shown again because something in it has to change.
    pub fn refused(template: T) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, template)
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.1.render() {
            Ok(html) => (self.0, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page does not render");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[cfg(test)]
impl Frame {
    /// The frame of a page that is rendered without a request.
    fn sample(now: Timestamp) -> Self {
        Self {
            session: Session::sample(now),
            partner_name: "Northwind <CRM>".to_owned(),
            section: "accounts".to_owned(),
            done: None,
            now,
        }
    }
}
