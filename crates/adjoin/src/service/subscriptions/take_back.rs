//! Taking back at Meta what is ours, and nothing of anybody else's.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{Object, check::at_meta};
use crate::{
    id::{AccountId, ConnectionId},
    service::{App, Error, Result, connections, setup},
    store::subscriptions as table,
};

/// How long somebody who disconnects waits for Meta. What is not done by then stays subscribed; its webhooks are put
/// aside when they come.
const PATIENCE: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
/// Most that are taken back before a token is erased.
const MOST: usize = 500;

/// Takes back the subscriptions of a connection whose token is about to be erased. Best effort, within a few seconds:
/// whatever Meta does, the erasure goes on.
pub async fn before_erasure(app: &App, account: &AccountId, connection: &ConnectionId) {
    let taken_back = tokio::time::timeout(PATIENCE, take_back_all(app, account, connection)).await;
    match taken_back {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%connection, %error, "subscriptions were not taken back at Meta"),
        Err(_) => tracing::warn!(%connection, "Meta was too slow to take all subscriptions back"),
    }
}

async fn take_back_all(app: &App, account: &AccountId, connection: &ConnectionId) -> Result<()> {
    let rows =
        table::looked_at(&app.db, account, connection, i64::try_from(MOST).unwrap_or(i64::MAX)).await?;
    let mut all = stream::iter(rows)
        .map(|row| async move {
            if let Err(error) = take_back(app, &row).await {
                tracing::info!(object = row.object.as_str(), object_id = row.object_id, %error, "not taken back at Meta");
            }
        })
        .buffer_unordered(AT_ONCE);
    while all.next().await.is_some() {}
    Ok(())
}

/// The connection no longer reaches it: takes it back as far as that is possible, and forgets it.
pub(super) async fn leave(app: &App, row: &table::Stored) -> Result<()> {
    match take_back(app, row).await {
        Ok(()) => {}
        Err(error @ (Error::Store(_) | Error::Vault(_))) => return Err(error),
        Err(Error::Meta(error)) if error.retry => {
            // Meta is away; it is tried again when the lease ends.
            return Ok(());
        }
        Err(error) => {
            tracing::info!(object = row.object.as_str(), object_id = row.object_id, %error, "not taken back at Meta");
        }
    }
    let mut tx = app.db.begin_apart().await?;
    // Shared anew meanwhile: then it stays.
    table::remove_if_leaving(&mut tx, &row.account_id, row.object, &row.object_id).await?;
    tx.commit().await?;
    Ok(())
}

async fn take_back(app: &App, row: &table::Stored) -> Result<()> {
    // Another account here lives by it.
    if table::others(&app.db, &row.account_id, row.object, &row.object_id).await? > 0 {
        return Ok(());
    }
    let access = match row.object {
        Object::Page => {
            connections::page_access(app, &row.account_id, &row.connection_id, &row.object_id).await?
        }
        Object::AdAccount => connections::access(app, &row.account_id, &row.connection_id).await?,
    };
    let app_id = setup::credentials(app).await?.app.id;
    Ok(at_meta(app, row, &access, &app_id).take_back().await?)
}
