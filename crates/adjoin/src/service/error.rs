use serde::{Deserialize, Serialize};

use crate::{store, vault};

pub type Result<T> = std::result::Result<T, Error>;

/// Who can mend an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The SaaS vendor that runs Adjoin.
    Partner,
    /// The vendor's customer.
    Account,
    /// Nobody here: wait for Meta.
    Meta,
}

/// One thing wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
    /// Meta (or the way to it) said no; Meta's error is kept whole.
    #[error("Meta refused: {}", .0.message)]
    Meta(Box<MetaError>),
    #[error("the database failed")]
    Store(#[from] store::Error),
    #[error("the vault failed")]
    Vault(#[from] vault::Error),
}

/// An error of Meta's, explained.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct MetaError {
    /// What happened, in our words.
    pub message: String,
    pub who: Who,
    pub next_step: String,
    /// Whether the same call may succeed later.
    pub retry: bool,
    /// Seconds until it is worth trying again, when Meta said so.
    pub retry_after: Option<u64>,
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
        let retry = error.is_passing();
        Self {
            message: error.to_string(),
            who: if retry { Who::Meta } else { Who::Partner },
            next_step: "try again later".to_owned(),
            retry,
            retry_after: None,
            meta: error.refusal().map_or(serde_json::Value::Null, |refusal| refusal.raw.clone()),
        }
    }
}

impl Error {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(field, message, fix)])
    }
}
