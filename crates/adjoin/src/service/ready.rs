//! Whether the service can do its work now: the database answers, and the key file is there and opens it.

use super::App;
use crate::{
    store,
    vault::{self, KeyFile, Vault},
};

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    #[error("the database does not answer")]
    Database(#[source] store::Error),
    #[error("the key file cannot be read")]
    KeyFile(#[source] vault::Error),
    #[error("the key file is not that of this database")]
    OtherKeyFile(#[source] vault::Error),
}

pub async fn check(app: &App) -> Result<(), Unready> {
    store::settings::get(&app.db).await.map_err(Unready::Database)?;
    // Read anew: a restart would fail on it, and so would what another node sealed since.
    let path = app.config.master_key_file.clone().unwrap_or_default();
    let reading = tokio::task::spawn_blocking(move || KeyFile::read(&path));
    let file = reading.await.expect("reading a key file does not panic").map_err(Unready::KeyFile)?;
    match Vault::new(app.db.clone(), file).check().await {
        Ok(()) => Ok(()),
        Err(vault::Error::Store(error)) => Err(Unready::Database(error)),
        Err(error) => Err(Unready::OtherKeyFile(error)),
    }
}
