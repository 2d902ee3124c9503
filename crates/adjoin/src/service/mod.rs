//! What Adjoin does, one module a concern. Every caller (API, console, connect page, command line) comes here.

pub mod accounts;
pub mod api_keys;
pub mod calls;
pub mod canaries;
pub mod connect_sessions;
pub mod connections;
pub mod consent;
pub mod dashboard;
pub mod deliveries;
pub mod departures;
pub mod events;
pub mod forms;
pub mod history;
pub mod leads;
pub mod meta;
pub mod methods;
pub mod operators;
pub mod overview;
pub mod ready;
pub mod settings;
pub mod setup;
pub mod subscriptions;
pub mod webhooks;
pub mod work;

use std::{ops::Deref, sync::Arc};

use crate::{
    config::Config,
    id::{AccountId, ConnectionId},
    metrics::Metrics,
    quota::Quota,
    store::{Db, Recent, api_keys::ApiKey, connections::Keys, connectors::Secrets},
    time::Clock,
    vault::Vault,
};

mod error;
pub use error::{Error, Fault, MetaError, Result, WAIT, Who};

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
    pub quota: Quota,
    pub metrics: Arc<Metrics>,
    /// The call log's end that calls write to.
    pub calls: calls::Log,
    pub facts: methods::Facts,
    pub page_tokens: connections::PageTokens,
    pub recent: RecentRows,
    /// Where webhooks are stored, many in one commit.
    pub intake: webhooks::Intake,
    /// The way to the partner's endpoints.
    pub sender: deliveries::Sender,
    /// Tells the work behind the requests that there is something to do.
    pub wakes: work::Wakes,
}

/// What every call reads: who calls, by the hash of the key's secret, and with what.
#[derive(Debug, Default)]
pub struct RecentRows {
    pub api_keys: Recent<Vec<u8>, ApiKey>,
    pub connections: Recent<(AccountId, ConnectionId), Keys>,
    /// The connection of an account that has exactly one.
    pub sole_connections: Recent<AccountId, ConnectionId>,
    /// What webhooks are signed with.
    pub app_secrets: Recent<(), Secrets>,
}

impl App {
    /// Must be called within the runtime: tasks write the call log and the webhooks.
    pub fn new(config: Config, db: Db, vault: Vault, clock: Clock) -> Self {
        let graphs = meta::Graphs::new(config.graph_url.clone(), clock.clone());
        let metrics = Arc::new(Metrics::default());
        let calls = calls::Log::start(db.clone(), clock.clone(), Arc::clone(&metrics));
        let intake = webhooks::Intake::start(db.clone(), Arc::clone(&metrics));
        let guard = deliveries::address::Guard::new(&config.delivery_allow);
        Self(Arc::new(Inner {
            config,
            db,
            vault,
            clock,
            graphs,
            quota: Quota::default(),
            metrics,
            calls,
            facts: methods::Facts::default(),
            page_tokens: connections::PageTokens::default(),
            recent: RecentRows::default(),
            intake,
            sender: deliveries::Sender::new(guard),
            wakes: work::Wakes::default(),
        }))
    }
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
