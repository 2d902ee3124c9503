//! What differs per machine: one TOML file, then `ADJOIN_*` variables, then flags; the later wins.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Deserialize;
use url::Url;

use crate::service::deliveries::address::Allowed;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the configuration file {path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("the configuration file {path} is not usable: {source}")]
    Parse { path: String, source: Box<toml::de::Error> },
    #[error(
        "no master key: set ADJOIN_MASTER_KEY_FILE (or --master-key-file) to a file made by `adjoin key generate FILE`. \
         Without a key nothing is stored, so Adjoin does not start"
    )]
    NoMasterKey,
}

/// Settings of the process. The same names stand in the TOML file (`listen = "..."`).
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Database: `sqlite://FILE` or `postgres://...` [default: sqlite://adjoin.db]
    #[arg(long, env = "ADJOIN_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "ADJOIN_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Host under which people reach the service; wins over Settings > General in the console
    #[arg(long, env = "ADJOIN_SERVICE_DOMAIN", value_name = "HOST")]
    pub service_domain: Option<String>,
    /// File with the master keys, made by `adjoin key generate`
    #[arg(long, env = "ADJOIN_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Base URL of the Graph API
    #[arg(
        long,
        env = "ADJOIN_GRAPH_URL",
        value_name = "URL",
        help = "Base URL of the Graph API [default: https://graph.facebook.com]"
    )]
    pub graph_url: Option<Url>,
    /// URL of the login dialog's host
    #[arg(
        long,
        env = "ADJOIN_DIALOG_URL",
        value_name = "URL",
        help = "URL of the login dialog's host [default: https://www.facebook.com]"
    )]
    pub dialog_url: Option<Url>,
    /// Requests a second that one API key may send [default: 500]
    #[arg(long, env = "ADJOIN_API_RATE", value_name = "NUMBER")]
    pub api_rate: Option<NonZeroU32>,
    /// Where events may be delivered besides public https addresses, http too: hosts (`crm.internal`), hosts with a port
    /// (`crm.internal:8080`), networks (`10.1.0.0/16`); several with commas, or by repeating the flag
    #[arg(long, env = "ADJOIN_DELIVERY_ALLOW", value_name = "HOST|NETWORK", value_delimiter = ',')]
    pub delivery_allow: Vec<Allowed>,
}

/// The settings with their defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub listen: SocketAddr,
    pub service_domain: Option<String>,
    pub master_key_file: Option<PathBuf>,
    pub graph_url: Url,
    pub dialog_url: Url,
    /// Requests a second that one API key may send.
    pub api_rate: NonZeroU32,
    /// Where events may be delivered besides public https addresses.
    pub delivery_allow: Vec<Allowed>,
}

/// What an API key may send in a second, unless the machine's configuration says otherwise.
pub const API_RATE: NonZeroU32 = NonZeroU32::new(500).unwrap();

impl Options {
    /// Fills what flags and environment left open from the file, and the rest with defaults.
    pub fn resolve(self, file: Option<&Path>) -> Result<Config, Error> {
        let file = file.map_or_else(|| Ok(Self::default()), Self::read)?;
        Ok(Config {
            database_url: self
                .database_url
                .or(file.database_url)
                .unwrap_or_else(|| "sqlite://adjoin.db".to_owned()),
            listen: self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            service_domain: self.service_domain.or(file.service_domain),
            master_key_file: self.master_key_file.or(file.master_key_file),
            graph_url: self
                .graph_url
                .or(file.graph_url)
                .unwrap_or_else(|| fixed("https://graph.facebook.com")),
            dialog_url: self
                .dialog_url
                .or(file.dialog_url)
                .unwrap_or_else(|| fixed("https://www.facebook.com")),
            api_rate: self.api_rate.or(file.api_rate).unwrap_or(API_RATE),
            delivery_allow: if self.delivery_allow.is_empty() {
                file.delivery_allow
            } else {
                self.delivery_allow
            },
        })
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: shown.clone(), source })?;
        toml::from_str(&text).map_err(|source| Error::Parse { path: shown, source: Box::new(source) })
    }
}

fn fixed(url: &'static str) -> Url {
    url.parse().expect("a fixed URL is a URL")
}
