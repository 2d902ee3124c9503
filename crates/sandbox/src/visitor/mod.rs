//! The pages on which a person fills a lead form in, as a visitor of Facebook or Instagram does.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /_sandbox/forms` | the forms |
//! | `GET`, `POST /_sandbox/forms/{id}` | one, to fill in and send |
//! | `GET /_sandbox/forms/{id}/thanks` | what a visitor sees then |

mod page;
mod sent;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    pages,
    scenarios::{Admin, Refused},
    webhooks::no_form,
    world::{Submission, World, leads::Form},
};
use page::{Fill, Forms, Thanks};
use sent::Sent;

pub fn router() -> Router<Admin> {
    Router::new()
        .route("/_sandbox/forms", get(list))
        .route("/_sandbox/forms/{id}", get(show).post(send))
        .route("/_sandbox/forms/{id}/thanks", get(thanks))
}

async fn list(State(admin): State<Admin>) -> Response {
    pages::page(StatusCode::OK, &Forms::new(&admin.read()))
}

/// A form that takes answers: an archived one does not.
fn open<'w>(world: &'w World, id: &str) -> Result<&'w Form, Refused> {
    let form = world.leads.form(id).ok_or_else(|| no_form(id))?;
    if form.archived {
        return Err(Refused(StatusCode::GONE, format!("lead form {id} is archived")));
    }
    Ok(form)
}

async fn show(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Response, Refused> {
    let world = admin.read();
    Ok(pages::page(StatusCode::OK, &Fill::new(&world, open(&world, &id)?, None)))
}

async fn send(State(admin): State<Admin>, Path(id): Path<String>, body: Bytes) -> Result<Response, Refused> {
    let mut world = admin.write();
    let form = open(&world, &id)?.clone();
    let sent = Sent::read(&world, &body);
    let Some((answers, consents)) = sent.accepted(&form) else {
        return Ok(pages::page(StatusCode::UNPROCESSABLE_ENTITY, &Fill::new(&world, &form, Some(&sent))));
    };
    let lead = world.submit(Submission {
        form: id.clone(),
        answers,
        consents,
        ad: sent.ad,
        platform: sent.platform,
        created: None,
        test: false,
        silent: false,
    });
    // A reload of the page that follows sends nothing again.
    Ok(Redirect::to(&format!("/_sandbox/forms/{id}/thanks?lead={lead}")).into_response())
}

#[derive(Deserialize)]
struct Which {
    lead: u64,
}

async fn thanks(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Refused> {
    let world = admin.read();
    let form = world.leads.form(&id).ok_or_else(|| no_form(&id))?;
    let lead = world
        .leads
        .get(which.lead)
        .ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("there is no lead {}", which.lead)))?;
    Ok(pages::page(StatusCode::OK, &Thanks::new(&world, form, &lead)))
}
