//! Lead forms of an account: what Meta says they hold, what is here, and whether webhooks come.

pub mod actions;
pub mod form;
pub mod list;
pub mod words;
