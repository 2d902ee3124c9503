//! Version 1: one folder a resource, one file a verb.

pub mod accounts;
pub mod api_keys;
pub mod app_subscriptions;
pub mod calls;
pub mod connect_sessions;
pub mod connections;
pub mod deliveries;
pub mod endpoints;
pub mod events;
pub mod forms;
pub mod leads;
pub mod methods;
pub mod quarantine;
pub mod settings;
pub mod setup;
pub mod subscriptions;
