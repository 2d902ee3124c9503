//! Connectors: the library, and each connector's setup.

pub mod library;
pub mod setup;
pub mod webhooks;
