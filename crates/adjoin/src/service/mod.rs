//! What Adjoin does, one module a concern. Every caller (API, console, connect page, command line) comes here.

pub mod accounts;
pub mod api_keys;
pub mod connect_sessions;
pub mod connections;
pub mod consent;
pub mod dashboard;
pub mod history;
pub mod meta;
pub mod operators;
pub mod overview;
pub mod settings;
pub mod setup;

use std::{ops::Deref, sync::Arc};

use crate::{config::Config, store::Db, time::Clock, vault::Vault};

mod error;
pub use error::{Error, Fault, MetaError, Result, Who};

/// What the services stand on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
pub struct Inner {
    pub config: Config,
    pub db: Db,
    pub vault: Vault,
    pub clock: Clock,
    pub graphs: meta::Graphs,
}

impl App {
    pub fn new(config: Config, db: Db, vault: Vault, clock: Clock) -> Self {
        let graphs = meta::Graphs::new(config.graph_url.clone(), clock.clone());
        Self(Arc::new(Inner { config, db, vault, clock, graphs }))
    }
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
