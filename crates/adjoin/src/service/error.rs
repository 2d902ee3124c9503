use adjoin_marketing::{
    ad_set::Report,
    errors::{self, Class},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::meta;
use crate::{quota, store, vault};

pub use adjoin_marketing::Who;

pub type Result<T> = std::result::Result<T, Error>;

/// The next step at Meta's limit.
pub const WAIT: &str =
    "send it again after `retry_after` seconds; calls that come before are not sent to Meta";

/// One thing wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// Path of the field: `login.configurations[0].id`.
    pub field: String,
    pub message: String,
    /// What would be right.
    pub fix: String,
}

impl Fault {
    pub fn new(field: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), fix: fix.into() }
    }

    /// A text with the one character that no text here may have, since PostgreSQL keeps none.
    pub fn nul(field: impl Into<String>) -> Self {
        Self::new(field, "it has the character NUL (U+0000), which is not allowed", "the same without it")
    }

    /// For a text of more characters than it may have.
    pub fn if_too_long(field: &str, text: &str, most: usize) -> Option<Self> {
        let length = text.chars().count();
        (length > most).then(|| {
            Self::new(field, format!("is {length} characters long"), format!("at most {most} characters"))
        })
    }
}

/// Why a service could not do what it was asked. Each says what happened, who can mend it and the next step;
/// `web::problem` turns them into RFC 9457.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not there, or not this caller's: the two are not told apart.
    #[error("{what} was not found")]
    NotFound { what: &'static str },
    #[error("the input has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    #[error("{message}")]
    Conflict { message: String, next_step: String },
    #[error("{message}")]
    Forbidden { message: String, next_step: String },
    /// Setup, connection or consent is not in the state this needs.
    #[error("{message}")]
    NotReady { message: String, who: Who, next_step: String },
    /// The connection's token does not work any more, as Meta has said before.
    #[error("{message}")]
    Broken { message: String, who: Who, next_step: String },
    /// The consent lacks a permission that this needs.
    #[error("{message}")]
    Unpermitted { message: String, who: Who, next_step: String },
    /// The rules say that Meta would refuse it; nothing was sent.
    #[error("the rules reject it")]
    Rejected(Box<Report>),
    /// Meta would throttle it; nothing was sent.
    #[error("{message}")]
    Throttled { message: String, retry_after: u64 },
    /// Meta (or the way to it) said no; Meta's error is kept whole.
    #[error("Meta refused: {}", .0.message)]
    Meta(Box<MetaError>),
    #[error("the database failed")]
    Store(#[from] store::Error),
    #[error("the vault failed")]
    Vault(#[from] vault::Error),
}

/// An error of Meta's, explained.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetaError {
    /// What kind of trouble it is.
    pub class: Class,
    /// What happened, in our words.
    pub message: String,
    pub who: Who,
    pub next_step: String,
    /// Whether the same call may succeed later.
    pub retry: bool,
    /// Seconds until it is worth trying again, when Meta said so.
    pub retry_after: Option<u64>,
    /// Whether a write that failed in this way may have been carried out all the same.
    #[serde(default)]
    pub outcome_unknown: bool,
    /// What of the input Meta blames, when that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Meta's error object, untouched.
    pub meta: serde_json::Value,
}

impl From<adjoin_graph::Error> for Error {
    fn from(error: adjoin_graph::Error) -> Self {
        Self::Meta(Box::new(MetaError::explain(&error)))
    }
}

impl MetaError {
    /// Says what an error of the Graph client means and what to do.
    pub fn explain(error: &adjoin_graph::Error) -> Self {
        let trace =
            |trace_id: &Option<String>| trace_id.clone().map_or(Value::Null, |id| json!({ "trace_id": id }));
        let (message, next_step, meta) = match error {
            adjoin_graph::Error::Refused(refusal) => {
                return Self { outcome_unknown: error.is_outcome_unknown(), ..Self::refused(refusal) };
            }
            adjoin_graph::Error::Timeout { .. } | adjoin_graph::Error::Unreachable { .. } => (
                error.to_string(),
                "try again in a minute; if it stays, look at metastatus.com and at the service's way out to \
                 graph.facebook.com",
                Value::Null,
            ),
            adjoin_graph::Error::Unreadable { trace_id, .. } => (
                error.to_string(),
                "try again in a minute; if it stays, tell Meta's support",
                trace(trace_id),
            ),
            _ => (error.to_string(), "ask for less at once, or mend the request", Value::Null),
        };
        let passing = error.is_passing();
        Self {
            class: if passing { Class::Temporary } else { Class::Unknown },
            message,
            who: if passing { Who::Meta } else { Who::Partner },
            next_step: next_step.to_owned(),
            retry: passing,
            retry_after: None,
            outcome_unknown: error.is_outcome_unknown(),
            faults: Vec::new(),
            meta,
        }
    }

    /// Meta's answer came and is not what it must be.
    pub fn unreadable(trace_id: Option<&str>) -> Self {
        Self::explain(&adjoin_graph::Error::Unreadable {
            status: 200,
            reason: "it is not of the form that was expected".to_owned(),
            trace_id: trace_id.map(str::to_owned),
        })
    }

    fn refused(refusal: &adjoin_graph::GraphRefusal) -> Self {
        let known = meta::known(refusal);
        let retry_after = match known.class {
            errors::Class::Throttled { pause_seconds, .. } => {
                Some(quota::wait(&refusal.usage, pause_seconds))
            }
            _ => None,
        };
        let said = refusal.user_msg.as_deref().unwrap_or(&refusal.message);
        Self {
            class: known.class,
            message: format!("{}. {} Meta says: {said}", known.title, known.what),
            // The same as for the calls that then wait here, whatever the partner might do about it in the long run.
            who: if retry_after.is_some() { Who::Meta } else { known.who },
            next_step: if retry_after.is_some() { WAIT.to_owned() } else { known.next_step.clone() },
            retry: refusal.is_passing()
                || matches!(known.retry, errors::Retry::Backoff | errors::Retry::AfterPause),
            retry_after,
            outcome_unknown: false,
            faults: Vec::new(),
            meta: refusal.raw.clone(),
        }
    }
}

impl Error {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(field, message, fix)])
    }
}
