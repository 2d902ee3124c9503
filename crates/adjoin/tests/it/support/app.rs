use std::path::PathBuf;

use adjoin::{
    audit::Actor,
    config::Options,
    service::{App, settings},
    time::{Clock, Timestamp},
    vault::{KeyFile, Vault},
    web,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use url::Url;

use super::Database;

/// A running service: the real router on a free port, a clock that only the test moves.
#[derive(Debug)]
pub struct TestApp {
    pub app: App,
    pub clock: Clock,
    /// `http://127.0.0.1:PORT`; also the Service Domain.
    pub origin: String,
    shutdown: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl TestApp {
    /// A service whose Graph is nowhere: a call to it fails at once.
    pub async fn start(database: &Database) -> Self {
        // Port 9 (discard) is closed wherever tests run.
        let nowhere: Url = "http://127.0.0.1:9".parse().unwrap();
        Self::start_with_graph(database, nowhere.clone(), nowhere).await
    }

    pub async fn start_with_graph(database: &Database, graph_url: Url, dialog_url: Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let key_path = database.folder().join("master.key");
        let key_file = KeyFile::generate(&key_path).unwrap();
        let config = Options {
            database_url: Some(database.url().to_owned()),
            listen: Some(address),
            service_domain: Some(address.to_string()),
            master_key_file: Some(key_path),
            graph_url: Some(graph_url),
            dialog_url: Some(dialog_url),
            // Receivers of tests are here.
            delivery_allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        }
        .resolve(None)
        .unwrap();
        // Any fixed moment would do; this one is 2026-11-24 10:00 UTC.
        let clock = Clock::manual(Timestamp::from_unix(1_795_514_400));
        let vault = Vault::new(database.db.clone(), key_file);
        let app = App::new(config, database.db.clone(), vault, clock.clone());
        let (shutdown, ended) = oneshot::channel::<()>();
        let serving = web::run(app.clone(), listener, async {
            let _ = ended.await;
        });
        let server = tokio::spawn(serving);
        Self { app, clock, origin: format!("http://{address}"), shutdown, server }
    }

    /// Switches connect links on: they are off by default.
    pub async fn allow_links(&self) {
        let change = settings::Change { links_allowed: Some(true), ..settings::Change::default() };
        settings::change(&self.app, &Actor::System, change).await.unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The file with the service's master keys.
    pub fn key_file(&self) -> PathBuf {
        self.app.config.master_key_file.clone().unwrap()
    }

    /// Ends the server as a signal would, and waits for requests under way.
    pub async fn stop(self) {
        let _ = self.shutdown.send(());
        self.server.await.unwrap();
    }
}
