//! Input that cannot be used, with the place of the fault.

use serde::Serialize;

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}, column {column}{}: {problem}", at(path))]
pub struct InputError {
    /// Counted from 1; 0 if the fault has no place.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// Where in the document, with dots; empty at its root.
    pub path: String,
    pub problem: String,
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(", at {path}") }
}
