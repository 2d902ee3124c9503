//! Who did what. A line is written in the transaction of the change it tells of.

use std::fmt;

use crate::id::{ApiKeyId, OperatorId};

/// Whoever caused a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Operator(OperatorId),
    ApiKey(ApiKeyId),
    /// A person on the connect page, not known to us by name.
    Visitor,
    /// Meta, by a request that it signed.
    Meta,
    /// Adjoin itself: the command line, the demo, a background task.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(id) => id.fmt(f),
            Self::ApiKey(id) => id.fmt(f),
            Self::Visitor => f.write_str("visitor"),
            Self::Meta => f.write_str("meta"),
            Self::System => f.write_str("system"),
        }
    }
}
