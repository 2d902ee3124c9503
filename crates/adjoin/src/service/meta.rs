//! The way to Meta: one Graph client a version, all on the service's clock, and Meta's errors explained.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adjoin_graph::{Graph, GraphConfig};
use url::Url;

use super::Result;
use crate::time::Clock;

/// For one attempt. People wait for most calls of the service.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Graph clients by version. All clones of one share their connections.
#[derive(Debug)]
pub struct Graphs {
    graph_url: Url,
    clock: Clock,
    by_version: Mutex<HashMap<String, Graph>>,
}

impl Graphs {
    pub fn new(graph_url: Url, clock: Clock) -> Self {
        Self { graph_url, clock, by_version: Mutex::default() }
    }

    /// The client that speaks this version.
    pub fn get(&self, version: &str) -> Result<Graph> {
        let mut clients = self.by_version.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = clients.get(version) {
            return Ok(graph.clone());
        }
        let clock = self.clock.clone();
        let graph = Graph::new(GraphConfig {
            timeout: TIMEOUT,
            clock: adjoin_graph::Clock::from_fn(move || clock.now().unix()),
            ..GraphConfig::new(self.graph_url.clone(), version)
        })?;
        clients.insert(version.to_owned(), graph.clone());
        Ok(graph)
    }
}
