//! Who reads what no handler answers: a program is told a problem, people see a page, each kind of people its own.

use axum::{
    extract::State,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;

use super::{connect::pages, console::Failure, fields::shown, problem::Problem};
use crate::service::{App, Fault, Who};

enum Reader {
    Program,
    /// An account's person, on the way to Facebook and back.
    Visitor,
    Operator,
}

impl Reader {
    fn of(path: &str) -> Self {
        match first(path) {
            "v1" | "webhooks" | "healthz" | "readyz" | "metrics" => Self::Program,
            "connect" if path.ends_with("/status") => Self::Program,
            "connect" | "connector" => Self::Visitor,
            _ => Self::Operator,
        }
    }
}

/// Whether what is answered at this path, a page or anything else, is for nobody but an account's person on the way to
/// Facebook and back.
pub fn is_for_one_visitor(path: &str) -> bool {
    matches!(first(path), "connect" | "connector")
}

fn first(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// A problem in the form that whoever asks at this path reads.
pub fn answer(app: &App, path: &str, problem: Problem) -> Response {
    let retry_after = problem.retry_after;
    let mut response = match Reader::of(path) {
        Reader::Program => problem.into_response(),
        Reader::Visitor => pages::refused(app, &problem),
        Reader::Operator => Failure::from(problem).into_response(),
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Where no page is.
pub async fn nothing_here(State(app): State<App>, uri: Uri) -> Response {
    match Reader::of(uri.path()) {
        Reader::Program => Problem::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "Nothing is here",
            "there is no such path",
            Who::Partner,
            "check the address",
        )
        .into_response(),
        Reader::Visitor => pages::unusable(&app),
        Reader::Operator => Failure::no_page().into_response(),
    }
}

/// Where a page is, and the verb is not one it takes: mostly an address that only a form leads to, loaded anew.
pub async fn wrong_verb(State(app): State<App>, method: Method, uri: Uri) -> Response {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-verb",
        "This address cannot be used that way",
        format!("the address is there, and it does not take {method}; nothing was done"),
        Who::Partner,
        "go back to the page before, load it anew, and go on from there",
    );
    answer(&app, uri.path(), problem)
}

/// Why an address is refused for all handlers at once: it is no text, or it holds a NUL.
pub fn fault_of_address(uri: &Uri) -> Option<Problem> {
    let fault = fault(uri)?;
    Some(Problem {
        faults: vec![fault.clone()],
        ..Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-input",
            "This address cannot be used",
            format!("in the address, {}: {}; nothing was done", fault.field, fault.message),
            Who::Partner,
            "mend the address and try again",
        )
    })
}

fn fault(uri: &Uri) -> Option<Fault> {
    match percent_decode_str(uri.path()).decode_utf8() {
        Ok(path) if path.contains('\0') => return Some(Fault::nul("path")),
        Ok(_) => {}
        Err(_) => return Some(Fault::new("path", "it is not UTF-8", "an address as this service gave it")),
    }
    let query = uri.query().filter(|query| query.contains("%00"))?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name.contains('\0') || value.contains('\0'))
        .map(|(name, _)| Fault::nul(shown(&name)))
}
