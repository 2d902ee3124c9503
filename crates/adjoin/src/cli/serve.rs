//! `adjoin serve`: the service.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::Outcome;
use crate::{
    config::{self, Options},
    service::{App, operators, settings, work},
    store::Db,
    time::Clock,
    vault::{KeyFile, Vault},
    web,
};

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    options: Options,
    /// Logs as JSON lines
    #[arg(long, env = "ADJOIN_LOG_JSON")]
    log_json: bool,
    /// Lives so many seconds in the future, beside a sandbox whose clock was moved as far: what is due then is done now
    #[arg(long, value_name = "SECONDS", hide = true)]
    clock_ahead: Option<i64>,
}

impl Serve {
    pub async fn run(self, config: Option<&Path>) -> anyhow::Result<Outcome> {
        super::init_logs(self.log_json);
        let config = self.options.resolve(config)?;
        let clock = self.clock_ahead.map_or(Clock::System, Clock::Ahead);
        if self.clock_ahead.is_some() && config.graph_url.host_str() == Some("graph.facebook.com") {
            anyhow::bail!("--clock-ahead is for a sandbox: give --graph-url as well");
        }
        let path = config.master_key_file.clone().ok_or(config::Error::NoMasterKey)?;
        let key_file = KeyFile::read(&path)?;
        if let Some(warning) = key_file.warning() {
            tracing::warn!("{warning}");
        }
        let db = Db::open(&config.database_url).await?;
        let vault = Vault::new(db.clone(), key_file);
        vault.check().await?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let app = App::new(config, db, vault, clock);

        let invite = operators::first_start_invite(&app).await?;
        let origin = settings::ServiceOrigin::of(&app, &settings::get(&app).await?)
            .map_or_else(|| format!("http://{address}"), |origin| origin.as_str().to_owned());
        let mut ready = serde_json::json!({ "listen": address, "console_url": format!("{origin}/") });
        if let Some(invite) = &invite {
            // The one secret we print: it works once, and only while there is no operator.
            let link = format!("{origin}/welcome#{}", invite.expose_secret());
            eprintln!("\n  No operator yet. Create one within 24 hours at\n\n    {link}\n");
            ready["operator_link"] = link.into();
        }
        let shutdown = shutdown_signal();
        println!("{ready}");
        tracing::info!(%address, engine = app.db.engine(), "ready");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let working = tokio::spawn(work::run(app.clone(), async {
            let _ = stopped.await;
        }));
        web::run(app, listener, shutdown).await;
        drop(stop);
        working.await?;
        Ok(Outcome::Good)
    }
}

/// Ends on Ctrl-C, or on the signal a service manager sends. Signals count from the call on, not from the first poll: who
/// has read that we are up may end us at once.
#[cfg(unix)]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};

    let heard = |kind| {
        let signal = signal(kind);
        async move {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        }
    };
    let (interrupt, terminate) = (heard(SignalKind::interrupt()), heard(SignalKind::terminate()));
    async {
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

/// Ends on Ctrl-C.
#[cfg(not(unix))]
pub async fn shutdown_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
