//! `adjoin sandbox`: the local Graph and login dialog.

use std::{net::SocketAddr, path::PathBuf};

use adjoin_sandbox::{Fill, FillLeads, Options, Sandbox as Server};
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::{Outcome, serve::shutdown_signal};

#[derive(Debug, Args)]
pub struct Sandbox {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4004")]
    listen: SocketAddr,
    /// Fill the first ad account with this many campaigns
    #[arg(long, value_name = "N", default_value_t = 0)]
    campaigns: usize,
    /// ... this many ad sets
    #[arg(long, value_name = "N", default_value_t = 0)]
    ad_sets: usize,
    /// ... and this many ads
    #[arg(long, value_name = "N", default_value_t = 0)]
    ads: usize,
    /// Fill the first lead form with this many leads
    #[arg(long, value_name = "N", default_value_t = 0)]
    leads: u64,
    /// Add this many Pages
    #[arg(long, value_name = "N", default_value_t = 0)]
    pages: usize,
    /// ... with this many lead forms each
    #[arg(long, value_name = "N", default_value_t = 1)]
    forms: usize,
    /// Valid OAuth redirect URI of the sandbox's app, besides the usual ones on port 8080 (may be repeated)
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Scenario that is on from the start, NAME or NAME=VALUE (may be repeated); see the sandbox's own page
    #[arg(long, value_name = "SCENARIO")]
    scenario: Vec<String>,
    /// Serve TLS under a certificate authority made at start, and write its certificate (PEM) here
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Where clients reach the sandbox, when that is not the address it listens on
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Refuse ended API versions (2635) instead of upgrading such calls
    #[arg(long)]
    strict_versions: bool,
    /// Speak the protocol as it was before 27 October 2026
    #[arg(long)]
    legacy_protocol: bool,
    /// Other ids and tokens than the usual ones
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Sandbox {
    pub async fn run(self) -> anyhow::Result<Outcome> {
        super::init_logs(false);
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        let options = Options {
            seed: self.seed,
            fill: Fill { campaigns: self.campaigns, ad_sets: self.ad_sets, ads: self.ads }.with_parents(),
            fill_leads: FillLeads { leads: self.leads, pages: self.pages, forms: self.forms },
            redirect_uris: self.redirect_uri,
            tls_ca_file: self.tls_ca,
            strict_versions: self.strict_versions,
            legacy_protocol: self.legacy_protocol,
            scenarios: self.scenario,
            public_url: self.public_url,
            now: None,
        };
        let sandbox = Server::new(options, listener)?;
        let shutdown = shutdown_signal();
        // The line on stdout comes last: whoever reads it may end us at once.
        tracing::info!(admin = sandbox.facts().admin_url, "the sandbox is up");
        println!("{}", sandbox.facts().to_json());
        sandbox.run(shutdown).await?;
        Ok(Outcome::Good)
    }
}
