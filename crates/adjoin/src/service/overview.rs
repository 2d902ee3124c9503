//! How the whole service stands, in numbers.

use std::collections::BTreeMap;

use super::{App, Result};
use crate::store::{accounts, connections};

/// What the overview counts.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub accounts: i64,
    /// Connections by the name of their state (`connected`, `broken` ...).
    pub connections: BTreeMap<String, i64>,
}

impl Counts {
    pub fn connections_in(&self, state: &str) -> i64 {
        self.connections.get(state).copied().unwrap_or_default()
    }
}

pub async fn counts(app: &App) -> Result<Counts> {
    Ok(Counts {
        accounts: accounts::count(&app.db).await?,
        connections: connections::count_by_status(&app.db).await?,
    })
}
