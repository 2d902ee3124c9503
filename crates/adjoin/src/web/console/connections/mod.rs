//! An account's connection.

pub mod actions;
mod attempts;
pub mod disconnect;
pub mod page;
pub mod words;

use super::Failure;
use crate::{
    id::ConnectionId,
    service::{
        App,
        accounts::{self, Account},
        connections::{self, Connection},
    },
};

/// The account and its connection, both from the address; a connection of another account is not there.
pub async fn of_path(app: &App, account: &str, connection: &str) -> Result<(Account, Connection), Failure> {
    let account = accounts::get(app, &account.parse().map_err(|_| Failure::no_page())?).await?;
    let id: ConnectionId = connection.parse().map_err(|_| Failure::no_page())?;
    let connection = connections::get(app, &account.id, &id).await?;
    Ok((account, connection))
}
