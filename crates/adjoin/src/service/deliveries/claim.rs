use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;
use url::Url;

use super::sign::Secrets;
use crate::{
    id::EndpointId,
    service::{App, Error, Result},
    store::{Tx, deliveries as table, endpoints},
    vault::Scope,
};

/// How long a claim is ours, in seconds: an attempt of 20 s and what it waits before.
pub const LEASE_SECONDS: i64 = 60;
/// Most deliveries that are claimed and not settled, in all and of one endpoint.
pub const CLAIMED_MAX: usize = 200;
const OF_ENDPOINT_MAX: usize = 32;
/// Most endpoints looked at in one transaction.
const ENDPOINTS: i64 = 64;

/// A delivery that is ours to send.
#[derive(Debug)]
pub struct Claimed {
    pub leased: table::Leased,
    pub endpoint: Arc<Target>,
    /// By this process's own clock.
    pub since: Instant,
}

/// An endpoint as it is sent to.
#[derive(Debug)]
pub struct Target {
    pub id: EndpointId,
    pub url: Url,
    pub secrets: Secrets,
}

/// Claims what is due, as much as there is room for. `held`: how many of an endpoint are claimed already.
pub async fn claim(
    app: &App,
    tx: &mut Tx,
    mut room: usize,
    held: &HashMap<EndpointId, usize>,
) -> Result<Vec<Claimed>> {
    let now = app.clock.now();
    let mut claimed = Vec::new();
    for id in table::ready_endpoints(tx, now, ENDPOINTS).await? {
        let of_endpoint = OF_ENDPOINT_MAX.saturating_sub(held.get(&id).copied().unwrap_or_default());
        let limit = room.min(of_endpoint);
        if limit == 0 {
            continue;
        }
        let until = now.plus_seconds(LEASE_SECONDS);
        let rows = table::claim(tx, &id, now, until, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        if rows.is_empty() {
            continue;
        }
        room -= rows.len();
        // Where the secrets do not open, the others go on; these are tried again when the lease ends.
        let endpoint = match target(app, tx, &id).await {
            Err(Error::Vault(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(endpoint = id.as_str(), error, "an endpoint's secrets do not open");
                continue;
            }
            endpoint => endpoint?,
        };
        let Some(endpoint) = endpoint else { continue };
        let (endpoint, since) = (Arc::new(endpoint), Instant::now());
        claimed.extend(rows.into_iter().map(|leased| Claimed {
            leased,
            endpoint: Arc::clone(&endpoint),
            since,
        }));
    }
    Ok(claimed)
}

async fn target(app: &App, tx: &mut Tx, id: &EndpointId) -> Result<Option<Target>> {
    let Some(row) = endpoints::by_id(tx, id).await? else { return Ok(None) };
    let secrets = open(app, &row).await?;
    let Ok(url) = row.url.parse() else { return Ok(None) };
    Ok(Some(Target { id: row.id, url, secrets }))
}

/// The secrets of an endpoint.
pub async fn open(app: &App, row: &endpoints::Stored) -> Result<Secrets> {
    let scope = scope(row);
    let opened =
        app.vault.open(&endpoints::secrets_place(&scope, row.id.as_str()), &row.secrets_sealed).await?;
    // We sealed it as JSON of this type.
    Secrets::try_from(opened).map_err(|_| crate::vault::Error::DoesNotOpen.into())
}

/// Whose key seals an endpoint's secrets.
pub fn scope(row: &endpoints::Stored) -> Scope {
    row.account_id.clone().map_or(Scope::Partner, Scope::Account)
}
