use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    Connection, NOT_FOUND, State, Subject, TokenKind,
    disconnect::{Revocable, Revocation, revocable, revoke},
    told,
};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{App, Result, consent::Findings, leads, subscriptions},
    store::{Json, Tx, audit, connections as table},
    vault::Scope,
};

/// A token with what Meta said of it.
#[derive(Debug)]
pub struct Verified {
    pub token: SecretString,
    pub findings: Findings,
    /// What the consent asked for, with everything it needs.
    pub wanted: Vec<String>,
}

/// A connection with its new token, and the old one, to be taken back at Meta after the commit.
#[derive(Debug)]
pub struct Replaced {
    connection: Connection,
    old: Option<Revocable>,
}

/// Who stands behind a connection; its row is held until the transaction ends.
pub async fn subject_for_update(
    tx: &mut Tx,
    account: &AccountId,
    id: &ConnectionId,
) -> Result<Option<Subject>> {
    Ok(table::by_id_for_update(tx, account, id).await?.ok_or(NOT_FOUND)?.subject.0)
}

/// Puts a verified token in place: the same connection, with its history. Nothing verified, nothing replaced.
pub async fn replace(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectionId,
    verified: Verified,
) -> Result<Replaced> {
    let now = app.clock.now();
    let mut row = table::by_id_for_update(tx, account, id).await?.ok_or(NOT_FOUND)?;
    let Verified { token, findings, wanted } = verified;
    let old = revocable(app, tx, &row).await?.filter(|old| {
        // A person's earlier token goes on under the same consent; a system user's is a token of its own.
        let other_subject = row.subject.0.as_ref().is_some_and(|before| !before.is_same(&findings.subject));
        let superseded = row.token_kind == Some(TokenKind::SystemUser)
            && old.token().expose_secret() != token.expose_secret();
        other_subject || superseded
    });
    let scope = Scope::Account(account.clone());
    let sealed = app.vault.seal(tx, &table::token_place(&scope, id.as_str()), &token, now).await?;
    table::put_token(tx, id, Some(sealed)).await?;
    row.state = Json(State::of(findings.gaps, &findings.assets));
    row.app_id = Some(findings.app_id);
    row.subject = Json(Some(findings.subject));
    row.token_kind = Some(findings.kind);
    row.token_expires_at = findings.expires_at;
    row.data_access_expires_at = findings.data_access_expires_at;
    row.wanted = Json(wanted);
    row.granted = Json(findings.granted);
    row.declined = Json(findings.declined);
    row.assets = Json(findings.assets);
    row.connected_at = Some(now);
    row.checked_at = Some(now);
    row.updated_at = now;
    table::put(tx, &row).await?;
    let detail = json!({ "account": account, "state": row.state.0.name(), "granted": row.granted.0 });
    audit::insert(tx, actor, "connection.connected", id.as_str(), detail, now).await?;
    // The event last: who takes its number holds no lead that others wait for, and waits for none.
    subscriptions::renew(app, tx, &row, now).await?;
    told::tell_connected(tx, &row, now).await?;
    Ok(Replaced { connection: row.into(), old })
}

/// After the commit: wakes the work, makes the leads due that waited for the new token, and takes the old one back at
/// Meta, if there is one to take back. Whether that works changes nothing here.
pub async fn settle(app: &App, replaced: Replaced) -> Connection {
    wake(app);
    leads::drain(app, &replaced.connection.account_id, None).await;
    if let Some(old) = replaced.old
        && let Revocation::Failed { reason } = revoke(app, old).await
    {
        tracing::warn!(connection = %replaced.connection.id, reason, "the old token was not revoked at Meta");
    }
    replaced.connection
}

/// Wakes all that waits for a token that works.
pub(super) fn wake(app: &App) {
    let wakes = &app.wakes;
    for kind in [&wakes.watch, &wakes.sweep, &wakes.hydrate, &wakes.sort, &wakes.deliver] {
        kind.notify_one();
    }
}
