//! What every table has in common: how it is read, and how far a row can be trusted.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How far a fact can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Meta's own pages contradict each other.
    Conflict,
    /// Reported by somebody who met the live API; not documented.
    Seen,
    /// Follows from documented facts, or by analogy.
    Inferred,
    /// Documented by Meta, without contradiction.
    Documented,
}

/// Who can mend a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The SaaS vendor that runs the connector and owns the Meta app.
    Partner,
    /// The vendor's customer, whose assets these are.
    Account,
    /// Meta; all one can do is wait or report.
    Meta,
}

/// Reads one embedded table.
///
/// The text is part of the program, so a table that cannot be read is a bug of the program: the panic names the file,
/// and the unit test of every module that has a table reads it.
pub(crate) fn table<T: DeserializeOwned>(file: &str, text: &str) -> T {
    match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => panic!("the embedded table data/{file} cannot be read: {error}"),
    }
}
