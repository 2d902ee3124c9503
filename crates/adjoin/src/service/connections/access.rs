use std::sync::Arc;

use adjoin_graph::Graph;

use super::{NOT_FOUND, RECONNECT, State};
use crate::{
    id::{AccountId, ConnectionId},
    service::{App, Error, Result, Who},
    store::{
        connections::{self as table, Keys},
        connectors,
    },
    time::Timestamp,
    vault::Scope,
};

/// The right to call Meta for one connection: the client, and the token with the app's secret, so that every call is
/// signed. `Debug` shows neither.
#[derive(Debug, Clone)]
pub struct Access {
    pub account_id: AccountId,
    pub connection_id: ConnectionId,
    /// Speaks the version of the setup.
    pub graph: Graph,
    pub token: adjoin_graph::Access,
    /// The Page whose own token it is; `None` for the connection's token.
    pub page_id: Option<String>,
    pub(super) keys: Arc<Keys>,
}

impl Access {
    pub fn graph_version(&self) -> &str {
        &self.keys.graph_version
    }

    /// The permissions that were granted.
    pub fn granted(&self) -> &[String] {
        &self.keys.granted.0
    }

    /// Which token this is, so that a refusal of an old one does not end its successor.
    pub(super) fn connected_at(&self) -> Option<Timestamp> {
        self.keys.connected_at
    }
}

/// Looks the connection up and unseals its token. This is on the way of every call: two unseals, and one read a second.
/// That the connection was ended counts at once in this process, and within a second in another.
pub async fn access(app: &App, account: &AccountId, id: &ConnectionId) -> Result<Access> {
    let now = app.clock.now();
    let read = async |(account, id): &(AccountId, ConnectionId)| table::keys(&app.db, account, id).await;
    let known = app.recent.connections.get(&app.db, (account.clone(), id.clone()), now, read).await?;
    let Some(keys) = known else {
        // Told apart only here, off the fast path: no such connection, or no setup.
        table::by_id(&app.db, account, id).await?.ok_or(NOT_FOUND)?;
        return Err(crate::service::setup::not_set_up());
    };
    let sealed = match &keys.token_sealed {
        Some(sealed) if keys.state.0.is_usable() => sealed,
        _ => return Err(unusable(&keys.state.0)),
    };
    if keys.token_expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Broken {
            message: "the connection's token has expired".to_owned(),
            who: Who::Account,
            next_step: RECONNECT.to_owned(),
        });
    }
    let scope = Scope::Account(account.clone());
    let token = app.vault.open(&table::token_place(&scope, id.as_str()), sealed).await?;
    let place = connectors::client_secret_place(connectors::FACEBOOK_MARKETING);
    let secret = app.vault.open(&place, &keys.client_secret_sealed).await?;
    Ok(Access {
        account_id: account.clone(),
        connection_id: id.clone(),
        graph: app.graphs.get(&keys.graph_version)?,
        token: adjoin_graph::Access::signed(token, secret),
        page_id: None,
        keys,
    })
}

/// Why methods cannot be called in this state.
fn unusable(state: &State) -> Error {
    let (message, who, next_step) = match state {
        State::Installed => {
            ("nobody has connected this account yet", Who::Account, "send the account its connect link")
        }
        State::Disconnected => ("this connection was disconnected", Who::Account, RECONNECT),
        State::NothingShared { gaps } => {
            let gap = gaps.first();
            (
                "the account went through the consent and shared nothing",
                gap.map_or(Who::Account, |gap| gap.who),
                gap.map_or(RECONNECT, |gap| gap.next_step.as_str()),
            )
        }
        State::ActionNeeded { trouble } | State::Broken { trouble } => {
            return Error::Broken {
                message: trouble.message.clone(),
                who: trouble.who,
                next_step: trouble.next_step.clone(),
            };
        }
        State::Connected | State::ConnectedWithGaps { .. } => {
            ("the connection has no token", Who::Account, RECONNECT)
        }
    };
    Error::NotReady { message: message.to_owned(), who, next_step: next_step.to_owned() }
}
