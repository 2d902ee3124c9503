//! The consent dialog: `GET /dialog/oauth` and `GET /{version}/dialog/oauth`.
//!
//! Server-rendered, without script, so that a program walks it as a browser does. The page has one form. It is
//! posted to `/dialog/{id}` (an opaque id, good once) with these fields:
//!
//! | field | values |
//! | --- | --- |
//! | `action` | `continue` or `cancel` (the two buttons) |
//! | `person` | id of the person who consents (hidden; the page's links choose another) |
//! | `permission` | repeated: each permission that stays ticked |
//! | `ad_account`, `page`, `business`, `catalog` | repeated: ids of the assets that stay ticked |
//! | `ad_account_reach`, `page_reach`, ... | `picked` (those above) or `all` (all, now and later); persons only |
//!
//! With a system-user configuration `business` is the one portfolio that grants, and assets are always picked.
//! The answer is a redirect to the app's redirect URI, or a page when the app cannot be trusted with one.

mod choices;
mod consent;
mod page;
mod redirect;
mod request;

use std::{collections::BTreeMap, sync::PoisonError};

use adjoin_marketing::dialog::{Refusal, refusals};
use axum::{
    Form, Router,
    extract::{Path, Query, RawQuery, State},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};

use crate::{
    pages,
    world::{SharedWorld, identity::random_id},
};
pub use request::{Ask, DialogRequest};

/// How long a consent page stays good.
const PENDING_SECONDS: i64 = 3600;
/// How many may be open at once; the oldest gives way.
const PENDING_MAX: usize = 1000;

/// A consent page that was opened and not answered.
#[derive(Debug, Clone)]
pub struct PendingDialog {
    pub request: DialogRequest,
    /// Unix seconds.
    pub opened_at: i64,
}

/// The refusal that comes back with this `error_code` and without `error`.
pub fn refusal(code: i64) -> Option<&'static Refusal> {
    refusals().iter().find(|refusal| refusal.error.is_none() && refusal.error_code == Some(code))
}

/// Serves the dialog's paths.
pub fn dialog_router(world: SharedWorld) -> Router {
    Router::new()
        .route("/dialog/oauth", get(open))
        .route("/{version}/dialog/oauth", get(open))
        .route("/dialog/style.css", get(pages::style))
        .route("/dialog/{id}", get(show).post(answer))
        .layer(middleware::from_fn(pages::own_pages_only))
        .with_state(world)
}

/// What the person is answered.
enum Reply {
    /// Back to the app.
    Back(String),
    /// Facebook's own page: the browser stays here.
    Own(page::Own),
    Consent(StatusCode, Box<page::Consent>),
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Back(url) => {
                (StatusCode::SEE_OTHER, [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store".into())])
                    .into_response()
            }
            Self::Own(own) => pages::page(own.status, &own),
            Self::Consent(status, consent) => pages::page(status, &*consent),
        }
    }
}

async fn open(State(world): State<SharedWorld>, RawQuery(query): RawQuery) -> Reply {
    let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
    let request = match request::read(&world, query.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(own) => return Reply::Own(own),
    };
    if let Some(code) = consent::refused_before_login(&world, &request) {
        return Reply::Back(redirect::refused(&world, &request, code));
    }
    let now = world.clock.unix();
    let dialogs = &mut world.identity.dialogs;
    dialogs.retain(|_, dialog| dialog.opened_at + PENDING_SECONDS > now);
    if dialogs.len() >= PENDING_MAX
        && let Some(oldest) = dialogs.iter().min_by_key(|(_, d)| d.opened_at).map(|(id, _)| id.clone())
    {
        dialogs.remove(&oldest);
    }
    let id = random_id();
    dialogs.insert(id.clone(), PendingDialog { request: request.clone(), opened_at: now });
    let Some(person) = world.identity.current_person().cloned() else {
        return Reply::Own(page::Own::new("There is nobody here", "This sandbox has no people to sign in."));
    };
    Reply::Consent(StatusCode::OK, Box::new(page::consent(&world, &id, &request, &person, None, None)))
}

/// The page again, for another person or business: `?person=` and `?business=`.
async fn show(
    State(world): State<SharedWorld>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Reply {
    let world = world.read().unwrap_or_else(PoisonError::into_inner);
    let Some(request) = pending(&world, &id) else { return gone() };
    let person = match query.get("person") {
        Some(person) => world.identity.people.get(person),
        None => world.identity.current_person(),
    };
    let Some(person) = person else {
        return Reply::Own(page::Own::new("Nobody of that id", "Choose one of the people on the page."));
    };
    let business = query.get("business").map(String::as_str);
    Reply::Consent(StatusCode::OK, Box::new(page::consent(&world, &id, &request, person, business, None)))
}

async fn answer(
    State(world): State<SharedWorld>,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Reply {
    let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
    let Some(request) = pending(&world, &id) else { return gone() };
    let form = consent::Answer(fields);
    match consent::decide(&mut world, &request, &form) {
        Ok(url) => {
            world.identity.dialogs.remove(&id);
            Reply::Back(url)
        }
        Err(problem) => {
            let person = form.one("person").and_then(|id| world.identity.people.get(id));
            let Some(person) = person.or_else(|| world.identity.current_person()) else { return gone() };
            let consent =
                page::consent(&world, &id, &request, person, form.one("business"), Some(problem.to_owned()));
            Reply::Consent(StatusCode::BAD_REQUEST, Box::new(consent))
        }
    }
}

fn pending(world: &crate::World, id: &str) -> Option<DialogRequest> {
    let dialog = world.identity.dialogs.get(id)?;
    (dialog.opened_at + PENDING_SECONDS > world.clock.unix()).then(|| dialog.request.clone())
}

fn gone() -> Reply {
    let mut own = page::Own::new(
        "This page was answered already",
        "A consent page is good once, and for an hour. Go back to the app and start again.",
    );
    own.status = StatusCode::GONE;
    Reply::Own(own)
}
