//! The way to Meta: one Graph client a version, all on the service's clock, within Meta's limits.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adjoin_graph::{Access, Answer, Graph, GraphConfig, GraphRefusal, Request, Usage};
use adjoin_marketing::errors::{self, Explanation};
use url::Url;

use super::{App, Result};
use crate::{
    quota::{Parked, Touched},
    time::Clock,
};

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

/// What is known of a refusal, by its code, its subcode and its words.
pub fn known(refusal: &GraphRefusal) -> &'static Explanation {
    errors::explain(refusal.code.unwrap_or_default(), refusal.subcode, &refusal.message)
}

/// Whether Meta refused a parameter. Code 100 with subcode 33 is an object that cannot be seen.
pub fn is_bad_parameter(error: &adjoin_graph::Error) -> bool {
    error.refusal().is_some_and(|refusal| refusal.code == Some(100) && refusal.subcode != Some(33))
}

/// The way to Meta for work that nobody waits for: one client and token, and the limits its calls count for.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    pub app: &'a App,
    pub graph: Graph,
    pub token: Access,
    pub touched: Touched,
}

impl Line<'_> {
    /// Until when calls wait, if they have to.
    pub fn room(&self) -> std::result::Result<(), Parked> {
        self.app.quota.room(&self.touched, self.app.clock.now())
    }

    /// Sends, a read with the client's own retries, and takes note of what the answer says about limits.
    pub async fn send(&self, request: &Request) -> std::result::Result<Answer, adjoin_graph::Error> {
        let sent = self.graph.send_with_retry(request, &self.token).await;
        match &sent {
            Ok(answer) => self.observe(&answer.usage),
            Err(error) => self.observe_failure(error),
        }
        sent
    }

    pub fn observe(&self, usage: &Usage) {
        self.app.quota.observe(&self.touched, usage, None, self.app.clock.now());
    }

    pub fn observe_failure(&self, error: &adjoin_graph::Error) {
        if let Some(refusal) = error.refusal() {
            let known = known(refusal);
            let now = self.app.clock.now();
            self.app.quota.observe(&self.touched, &refusal.usage, Some((refusal, known)), now);
        }
    }
}
