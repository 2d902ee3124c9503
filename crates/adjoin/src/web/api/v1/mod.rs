//! Version 1: one folder a resource, one file a verb.

pub mod accounts;
pub mod api_keys;
pub mod settings;
pub mod setup;
