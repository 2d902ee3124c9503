//! The one place where errors become RFC 9457 `application/problem+json`.

use adjoin_marketing::{ad_set::Finding, errors::Class};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    service::{Error, Fault, MetaError, WAIT, Who},
    store,
};

/// What went wrong, who can mend it, and the next step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    /// A stable name of the problem: `/problems/not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Who can mend it.
    pub who: Who,
    /// What to do next.
    pub next_step: String,
    /// Each fault of the input, when that is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub faults: Vec<Fault>,
    /// What the rules found, when it is they that reject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub findings: Vec<Finding>,
    /// Meta's error, untouched, when it was Meta that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<serde_json::Value>,
    /// Seconds until it is worth trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(
        status: StatusCode,
        kind: &str,
        title: &str,
        detail: impl Into<String>,
        who: Who,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            who,
            next_step: next_step.into(),
            faults: Vec::new(),
            findings: Vec::new(),
            meta: None,
            retry_after: None,
        }
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let partner = Who::Partner;
        match error {
            Error::NotFound { what } => Self::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                format!("{what} was not found"),
                partner,
                "check the id; a key that is bound to one account sees only that account",
            ),
            Error::Invalid(faults) => Self {
                faults,
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid-input",
                    "The input cannot be used",
                    "one or more fields are not as they must be",
                    partner,
                    "mend the fields named in `faults` and send the request again",
                )
            },
            Error::Conflict { message, next_step } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "It collides with what is there",
                message,
                partner,
                next_step,
            ),
            Error::Forbidden { message, next_step } => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", message, partner, next_step)
            }
            Error::NotReady { message, who, next_step } => {
                Self::new(StatusCode::CONFLICT, "not-ready", "Something comes first", message, who, next_step)
            }
            Error::Broken { message, who, next_step } => {
                let (status, kind, title) = CONNECTION_BROKEN;
                Self::new(status, kind, title, message, who, next_step)
            }
            Error::Unpermitted { message, who, next_step } => Self::new(
                StatusCode::FORBIDDEN,
                "permission-missing",
                "The account's consent lacks a permission",
                message,
                who,
                next_step,
            ),
            Error::Rejected(report) => Self {
                findings: report.findings,
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "rules-reject",
                    "Meta would refuse it",
                    "the rules reject it; nothing was sent to Meta",
                    partner,
                    "mend what `findings` rejects, each with its fix, and send it again",
                )
            },
            Error::Throttled { message, retry_after } => Self {
                retry_after: Some(retry_after),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "meta-limit",
                    "Meta's limit is reached",
                    message,
                    Who::Meta,
                    WAIT,
                )
            },
            Error::Meta(error) => {
                let (status, kind, title) = meta_refused(&error);
                Self {
                    faults: error.faults,
                    meta: Some(error.meta),
                    retry_after: error.retry_after,
                    ..Self::new(status, kind, title, error.message, error.who, error.next_step)
                }
            }
            // The skins look for it and can name the field; this is for what they let through.
            Error::Store(store::Error::Nul { .. }) => Error::Invalid(vec![Fault::nul("")]).into(),
            Error::Store(error) => internal(&error),
            Error::Vault(error) => internal(&error),
        }
    }
}

/// The same for the call that finds it out and for those that come later.
const CONNECTION_BROKEN: (StatusCode, &str, &str) =
    (StatusCode::CONFLICT, "connection-broken", "The connection does not work");

/// What a refusal of Meta's is to our caller: their input, the consent, a limit, or trouble between us and Meta.
fn meta_refused(error: &MetaError) -> (StatusCode, &'static str, &'static str) {
    match error.class {
        Class::BadParameter | Class::TooMuchData | Class::Gone => {
            (StatusCode::UNPROCESSABLE_ENTITY, "meta-refused", "Meta refused the input")
        }
        Class::MissingPermission | Class::MissingRole | Class::Policy => {
            (StatusCode::FORBIDDEN, "meta-forbids", "Meta does not allow it")
        }
        Class::Reconnect | Class::ActionOnFacebook => CONNECTION_BROKEN,
        Class::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "meta-limit", "Meta's limit is reached"),
        _ if error.retry => (StatusCode::SERVICE_UNAVAILABLE, "meta-unavailable", "Meta cannot do it now"),
        _ => (StatusCode::BAD_GATEWAY, "meta-failed", "Meta did not do it"),
    }
}

/// Our own failure: the chain goes to the log, the caller gets no inner word of it.
fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    let chain =
        std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>();
    tracing::error!(error = chain.join(": "), "request failed");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Adjoin failed",
        "something on our side failed; nothing was half-written",
        Who::Partner,
        "try again; if it stays, look in the service's log",
    )
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
