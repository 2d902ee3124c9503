//! The database: SQLite or PostgreSQL, one SQL text for both, one file a table.
//!
//! Columns are only `TEXT`, `BIGINT`, `DOUBLE PRECISION`, `BOOLEAN` and `BYTEA`; times are Unix
//! milliseconds (UTC), ids prefixed text, JSON is text that SQL never looks into.

mod db;
mod migrate;
mod query;
mod recent;

pub mod accounts;
pub mod api_keys;
pub mod app_subscriptions;
pub mod audit;
pub mod calls;
pub mod canaries;
pub mod connect_sessions;
pub mod connections;
pub mod connectors;
pub mod data_keys;
pub mod deliveries;
pub mod departures;
pub mod endpoints;
pub mod events;
pub mod form_versions;
pub mod forms;
pub mod idempotency;
pub mod lead_charts;
pub mod lead_erasure;
pub mod lead_expiry;
pub mod lead_parks;
pub mod lead_sightings;
pub mod lead_stages;
pub mod lead_views;
pub mod leads;
pub mod leases;
pub mod operators;
pub mod quarantine;
pub mod sessions;
pub mod settings;
pub mod subscriptions;
pub mod webhooks;

pub use db::{Db, Tx};
pub(crate) use query::row;
pub use query::{Column, FromRow, Json, Page, Row, Value, read_optional_text, read_text, sql};
pub use recent::Recent;

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no database of Adjoin at {url}: check the address; `adjoin serve` makes a new one")]
    NotThere { url: String },
    #[error("the database address {url:?} cannot be used: {reason}")]
    Address { url: String, reason: String },
    #[error("cannot open the database")]
    Open(#[source] sqlx::Error),
    #[error("migration {version} of the database failed")]
    Migrate { version: i64, source: sqlx::Error },
    #[error("the database was made by a newer Adjoin (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
    #[error("database statement failed: {statement}")]
    Statement { statement: &'static str, source: sqlx::Error },
    #[error("a text with the character NUL (U+0000) is not stored: {statement}")]
    Nul { statement: &'static str },
    #[error("cannot begin or commit a transaction")]
    Transaction(#[source] sqlx::Error),
    #[error("column {column} holds what it should not: {reason}")]
    Column { column: String, reason: String },
}

impl Error {
    /// Whether the values were refused: by us, or by PostgreSQL with an SQLSTATE of class 22. SQLite takes any.
    pub fn is_about_data(&self) -> bool {
        match self {
            Self::Nul { .. } => true,
            Self::Statement { source: sqlx::Error::Database(error), .. } => {
                error.code().is_some_and(|code| code.len() == 5 && code.starts_with("22"))
            }
            _ => false,
        }
    }

    /// Whether a unique constraint refused the row.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Statement { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }
}

pub type Result<T> = std::result::Result<T, Error>;
