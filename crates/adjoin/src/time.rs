//! The one seam through which time comes.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment: Unix milliseconds in the database, RFC 3339 (UTC) in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", extend("format" = "date-time"))]
pub struct Timestamp(pub jiff::Timestamp);

impl Timestamp {
    pub fn from_millis(millis: i64) -> Self {
        // Out of range only for a corrupt row; the epoch then says so plainly enough.
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or_default())
    }

    pub fn from_unix(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_millis(self.millis().saturating_add(seconds.saturating_mul(1000)))
    }

    /// `2026-11-24 10:31 UTC`, for people.
    pub fn for_people(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

impl From<Timestamp> for crate::store::Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(Some(at.millis()))
    }
}

impl From<Option<Timestamp>> for crate::store::Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Integer(at.map(Timestamp::millis))
    }
}

impl crate::store::Column for Timestamp {
    fn read(row: &crate::store::Row, name: &str) -> crate::store::Result<Self> {
        row.get::<i64>(name).map(Self::from_millis)
    }
}

impl crate::store::Column for Option<Timestamp> {
    fn read(row: &crate::store::Row, name: &str) -> crate::store::Result<Self> {
        Ok(row.get::<Option<i64>>(name)?.map(Timestamp::from_millis))
    }
}

/// The system's clock, or one that a test moves.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// The system's, so many seconds ahead.
    Ahead(i64),
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.millis())))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()),
            Self::Ahead(seconds) => Self::System.now().plus_seconds(*seconds),
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock; the system's clock stays as it is.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Self::Manual(millis) = self {
            millis.fetch_add(seconds * 1000, Ordering::SeqCst);
        }
    }
}
