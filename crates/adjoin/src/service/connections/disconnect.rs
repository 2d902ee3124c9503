use std::collections::BTreeSet;

use adjoin_graph::oauth;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;

use super::{Connection, NOT_FOUND, State, TokenKind, told};
use crate::{
    audit::Actor,
    id::{AccountId, ConnectionId},
    service::{App, Result, setup, subscriptions, work},
    store::{Json, Tx, audit, connect_sessions, connections as table, subscriptions as subscribed},
    vault::Scope,
};

/// What a disconnect did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Disconnected {
    pub connection: Connection,
    pub at_meta: Revocation,
}

/// What became of the consent at Meta. Our own copy of the token is erased in every case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Revocation {
    /// There was no token.
    Nothing,
    Revoked,
    /// The same person connected other accounts; revoking would end those too.
    KeptForOthers {
        connections: i64,
    },
    /// Meta did not do it. The person can remove the app at Facebook.
    Failed {
        reason: String,
    },
}

/// A token that is to be taken back at Meta, after our copy of it is gone.
#[derive(Debug)]
pub struct Revocable {
    kind: TokenKind,
    app_id: String,
    subject_id: String,
    token: SecretString,
    /// Other live connections of the same app and person.
    others: i64,
}

impl Revocable {
    pub fn token(&self) -> &SecretString {
        &self.token
    }
}

/// Takes our webhook subscriptions back at Meta, as far as that works within a few seconds; erases the token here; then
/// takes the consent back at Meta unless another account lives by it.
pub async fn disconnect(
    app: &App,
    actor: &Actor,
    account: &AccountId,
    id: &ConnectionId,
) -> Result<Disconnected> {
    let (app, actor, account, id) = (app.clone(), actor.clone(), account.clone(), id.clone());
    work::to_its_end(async move { erase(&app, &actor, &account, &id).await }).await
}

async fn erase(app: &App, actor: &Actor, account: &AccountId, id: &ConnectionId) -> Result<Disconnected> {
    subscriptions::before_erasure(app, account, id).await;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut row = table::by_id_for_update(&mut tx, account, id).await?.ok_or(NOT_FOUND)?;
    let revocable = revocable(app, &mut tx, &row).await?;
    let before = std::mem::replace(&mut row.state, Json(State::Disconnected));
    row.subject = Json(None);
    row.app_id = None;
    row.token_kind = None;
    row.token_expires_at = None;
    row.data_access_expires_at = None;
    row.granted = Json(Vec::new());
    row.declined = Json(Vec::new());
    row.assets = Json(super::Assets::default());
    row.connected_at = None;
    row.updated_at = now;
    table::put_token(&mut tx, id, None).await?;
    table::put(&mut tx, &row).await?;
    subscribed::remove_of_connection(&mut tx, id).await?;
    told::tell(&mut tx, &before.0, &row, now).await?;
    connect_sessions::cancel_of_connection(&mut tx, id).await?;
    audit::insert(&mut tx, actor, "connection.disconnected", id.as_str(), json!({ "account": account }), now)
        .await?;
    tx.commit().await?;
    app.wakes.deliver.notify_one();

    let at_meta = match revocable {
        Some(revocable) => revoke(app, revocable).await,
        None => Revocation::Nothing,
    };
    if let Revocation::Failed { reason } = &at_meta {
        tracing::warn!(connection = %id, reason, "the token was erased here, but not revoked at Meta");
    }
    app.page_tokens.forget_all(&BTreeSet::from([id.clone()]));
    Ok(Disconnected { connection: row.into(), at_meta })
}

/// The token of a connection with what its revocation must know; `None` when there is none.
pub async fn revocable(app: &App, tx: &mut Tx, row: &table::Stored) -> Result<Option<Revocable>> {
    let (Some(kind), Some(app_id), Some(subject)) = (row.token_kind, &row.app_id, &row.subject.0) else {
        return Ok(None);
    };
    let Some(sealed) = table::token(&mut *tx, &row.id).await? else { return Ok(None) };
    let scope = Scope::Account(row.account_id.clone());
    let token = app.vault.open(&table::token_place(&scope, row.id.as_str()), &sealed).await?;
    let others = table::others_of_subject(tx, &row.id, app_id, &subject.id).await?;
    Ok(Some(Revocable { kind, app_id: app_id.clone(), subject_id: subject.id.clone(), token, others }))
}

/// A person's consent holds for every account they connected, so it is taken back only when no other is left. The
/// token of a system user is revoked singly.
pub async fn revoke(app: &App, it: Revocable) -> Revocation {
    let outcome = async {
        let credentials = setup::credentials(app).await?;
        if credentials.app.id != it.app_id {
            return Ok(Revocation::Failed { reason: "the token belongs to an earlier Meta app".to_owned() });
        }
        let graph = app.graphs.get(&credentials.graph_version)?;
        let own = adjoin_graph::Access::signed(it.token.clone(), credentials.app.secret.clone());
        match it.kind {
            TokenKind::SystemUser => oauth::revoke(&graph, &credentials.app, &own, &it.token).await?,
            TokenKind::User if it.others > 0 => {
                return Ok(Revocation::KeptForOthers { connections: it.others });
            }
            TokenKind::User => {
                let as_app = credentials.app.access();
                oauth::delete_permissions(&graph, &it.subject_id, None, &as_app).await?;
            }
        }
        Ok::<_, crate::service::Error>(Revocation::Revoked)
    };
    outcome.await.unwrap_or_else(|error| Revocation::Failed { reason: error.to_string() })
}
