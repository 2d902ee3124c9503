//! Faults on demand: what is switched on, and what it does to a call.

/// The scenarios that are switched on.
#[derive(Debug, Default)]
pub struct Scenarios {}
