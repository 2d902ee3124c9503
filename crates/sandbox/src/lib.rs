//! A stateful local stand-in for `graph.facebook.com` and the login dialog of `www.facebook.com`.
//!
//! Everything lives in one [`World`] behind a lock; a request becomes a [`protocol::Call`], a pure
//! function of the world answers it, and batch items take the same way.
//!
//! ```no_run
//! # async fn run() -> Result<(), adjoin_sandbox::SandboxError> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
//! let sandbox = adjoin_sandbox::Sandbox::new(adjoin_sandbox::Options::default(), listener)?;
//! println!("{}", sandbox.facts().to_json());
//! sandbox.run(std::future::pending()).await
//! # }
//! ```

pub mod clock;
mod hex;
pub mod login;
pub mod meters;
pub mod nodes;
mod pages;
pub mod protocol;
pub mod scenarios;
pub mod server;
mod tls;
mod visitor;
pub mod webhooks;
pub mod world;

use std::path::PathBuf;

pub use server::{Facts, Sandbox, SandboxError};
pub use world::{SharedWorld, World, fill::Fill, fill_leads::FillLeads};

/// How a sandbox starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Ids and tokens follow from it; `None` takes the fixed one.
    pub seed: Option<u64>,
    /// What the first ad account is filled with.
    pub fill: Fill,
    /// Leads of the first form, and Pages with forms besides the seeded ones.
    pub fill_leads: FillLeads,
    /// Redirect URIs of the default app, besides those of a service on this machine's port 8080.
    pub redirect_uris: Vec<String>,
    /// Serves TLS under a certificate authority made at start, whose certificate (PEM) is written here.
    pub tls_ca_file: Option<PathBuf>,
    /// Ended API versions are refused with 2635 instead of being upgraded.
    pub strict_versions: bool,
    /// Speaks the protocol as it was before 27 October 2026.
    pub legacy_protocol: bool,
    /// Scenarios that are on from the start: `name` or `name=value`.
    pub scenarios: Vec<String>,
    /// Where clients reach the sandbox, when that is not where it listens.
    pub public_url: Option<String>,
    /// Starts the clock here (and lets it run) instead of at the machine's time.
    pub now: Option<jiff::Timestamp>,
}
