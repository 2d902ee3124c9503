use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    store::{Column, Row, read_text},
    time::Timestamp,
};

/// Whether an endpoint is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum State {
    Enabled,
    Disabled { cause: Cause, at: Timestamp },
}

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody wanted it.
    Asked,
    /// It answered 410 Gone.
    Gone,
    /// Nothing arrived there for five days.
    Failing,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled { .. } => "disabled",
        }
    }

    pub const fn is_enabled(self) -> bool {
        matches!(self, Self::Enabled)
    }
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On its way, or waiting for its next attempt.
    Pending,
    /// Its endpoint is disabled. Enabled again, it goes on.
    Held,
    Delivered,
    /// All attempts failed. It stays until it is replayed, or the event is forgotten.
    Dead,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Held, Self::Delivered, Self::Dead];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// No status has this name.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no status of a delivery")]
pub struct UnknownStatus(String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

impl Column for Status {
    fn read(row: &Row, name: &str) -> crate::store::Result<Self> {
        read_text(row, name)
    }
}
