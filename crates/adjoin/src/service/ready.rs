//! Whether the service can do its work now: the database answers and the key file is there.

use super::App;
use crate::{store, vault::KeyFile};

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    #[error("the database does not answer")]
    Database(#[source] store::Error),
    #[error("the key file cannot be read")]
    KeyFile,
}

pub async fn check(app: &App) -> Result<(), Unready> {
    store::settings::get(&app.db).await.map_err(Unready::Database)?;
    // Read anew: a rotation, or a restart, would fail on it later.
    match app.config.master_key_file.clone() {
        Some(path) => match tokio::task::spawn_blocking(move || KeyFile::read(&path)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Unready::KeyFile),
        },
        None => Err(Unready::KeyFile),
    }
}
