//! Disconnecting, which asks first.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Redirect,
};

use super::of_path;
use crate::{
    service::{
        App,
        accounts::Account,
        connections::{self, Connection, Revocation},
    },
    web::console::{Frame, Page, Result, done::Done},
};

#[derive(Debug, Template)]
#[template(path = "console/connections/disconnect.html")]
pub struct Disconnect {
    frame: Frame,
    account: Account,
    connection: Connection,
}

pub async fn confirm(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Page<Disconnect>> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    Ok(Page::new(Disconnect { frame, account, connection }))
}

pub async fn submit(
    State(app): State<App>,
    frame: Frame,
    Path((account, connection)): Path<(String, String)>,
) -> Result<Redirect> {
    let (account, connection) = of_path(&app, &account, &connection).await?;
    let done = connections::disconnect(&app, &frame.actor(), &account.id, &connection.id).await?;
    let said = match done.at_meta {
        Revocation::Nothing => Done::Disconnected,
        Revocation::Revoked => Done::DisconnectedAtMeta,
        Revocation::KeptForOthers { .. } => Done::DisconnectedHereOnly,
        Revocation::Failed { .. } => Done::DisconnectedNotAtMeta,
    };
    Ok(said.at(&format!("/accounts/{}/connections/{}", account.id, connection.id)))
}
