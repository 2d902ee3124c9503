//! What the console's pages take: a form, a query. What cannot be used is answered with a page that says so, before any
//! of it is done.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::Failure;
use crate::{
    service::{App, Fault, Who},
    web::{fields, limits, problem::Problem},
};

/// A form's fields.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let media = limits::media_type(request.headers());
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "what was sent is no form; nothing was done",
                None,
            ));
        }
        let text = limits::body(request, app).await?;
        fields::from_pairs(&text).map(Self).map_err(|fault| {
            refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "what was sent is not what the form on this page sends; nothing was done",
                Some(fault),
            )
        })
    }
}

/// An address's parameters.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let text = parts.uri.query().unwrap_or_default();
        fields::from_pairs(text.as_bytes()).map(Self).map_err(|fault| {
            refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the address has parameters that this page does not take",
                Some(fault),
            )
        })
    }
}

fn refused(status: StatusCode, detail: &str, fault: Option<Fault>) -> Failure {
    Problem {
        faults: fault.into_iter().collect(),
        ..Problem::new(
            status,
            "form-unusable",
            "This cannot be used",
            detail,
            Who::Partner,
            "go back, load the page anew, and send its form again",
        )
    }
    .into()
}
