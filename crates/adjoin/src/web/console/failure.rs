//! The page people see when something did not work: the same [`Problem`] the API sends as JSON.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use crate::{
    service::{Error, Who},
    web::problem::Problem,
};

/// An answer that is an error page.
#[derive(Debug)]
pub struct Failure(pub Box<Problem>);

#[derive(Debug, Template)]
#[template(path = "console/failure.html")]
struct FailurePage<'a> {
    problem: &'a Problem,
}

impl FailurePage<'_> {
    fn who(&self) -> &'static str {
        match self.problem.who {
            Who::Partner => "You, or whoever runs this service",
            Who::Account => "The account whose connection it is",
            Who::Meta => "Meta; there is nothing to mend here",
        }
    }
}

impl Failure {
    /// A page that is not there.
    pub fn no_page() -> Self {
        Self(Box::new(Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing here",
            "no page has this address",
            Who::Partner,
            "check the address, or begin at the overview",
        )))
    }

    /// A form that another site sent.
    pub fn cross_site() -> Self {
        Self(Box::new(Problem::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "This request came from another site",
            "a form of this console can only be sent from the console itself; nothing was changed",
            Who::Partner,
            "open the page here and send the form again; if a proxy stands in front, let it pass on the Host and \
             Origin headers unchanged",
        )))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let page = FailurePage { problem: &self.0 };
        match page.render() {
            Ok(html) => (self.0.status(), Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "the error page does not render");
                (*self.0).into_response()
            }
        }
    }
}
