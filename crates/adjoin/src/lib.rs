//! Adjoin: the Meta Marketing connector a SaaS vendor can own.
//!
//! Data goes down and comes back up: `web` and `cli` are thin skins over `service`, which stands on `vault`,
//! `store` and the Graph client. Nothing calls a module above it.

pub mod audit;
pub mod cli;
pub mod config;
pub mod id;
pub mod metrics;
pub mod quota;
pub mod random;
pub mod service;
pub mod store;
pub mod time;
pub mod vault;
pub mod web;

// A method call is many small values that are made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// Unit tests and integration tests stand on the same support files, which call the crate by its name.
#[cfg(test)]
extern crate self as adjoin;
#[cfg(test)]
#[path = "../tests/it/support/mod.rs"]
pub mod support;
