//! Key rotation, online and resumable: every step commits by itself and is skipped when it was done before.

use secrecy::ExposeSecret as _;

use super::{Place, Result, Scope, Vault, data_key_id};
use crate::{
    store::{
        self, FromRow, Row, connect_sessions, connections, connectors, data_keys, deliveries, endpoints,
        lead_erasure, leads, quarantine,
    },
    time::Timestamp,
};

/// Rows looked at in one transaction.
const BATCH: i64 = 100;

/// A retired data key outlives its rotation by this long, for a transaction elsewhere that sealed with it while
/// we worked; the next rotation seals that value anew, and only then deletes the key.
const GRACE_SECONDS: i64 = 24 * 60 * 60;

/// What a rotation did.
#[derive(Debug, Default, Clone, serde::Serialize)]
pub struct Rotation {
    /// The master key that wraps from now on.
    pub master_key_id: String,
    /// Data keys wrapped anew.
    pub data_keys_wrapped: u64,
    /// Data keys replaced by fresh ones.
    pub data_keys_replaced: u64,
    /// Secrets sealed anew.
    pub secrets_sealed: u64,
    /// Old data keys that nothing needs any more, deleted.
    pub data_keys_deleted: u64,
}

/// What `rotate` says while it works.
pub enum Step {
    Wrapped(u64),
    Sealed(u64),
}

/// Wraps all data keys with the newest master key, gives every scope a fresh data key, and seals every secret
/// with it. Safe beside a running service, and safe to run again after an interruption.
pub async fn rotate(vault: &Vault, now: Timestamp, mut progress: impl FnMut(Step)) -> Result<Rotation> {
    let db = &vault.inner.db;
    let newest = vault.inner.key_file.read().expect("no panic holds this lock").newest_id().to_owned();
    let mut done = Rotation { master_key_id: newest.clone(), ..Rotation::default() };

    // A data key older than the newest master key is replaced; one wrapped by it already was.
    loop {
        let mut tx = db.begin().await?;
        let old = data_keys::wrapped_by_others(&mut tx, &newest, BATCH).await?;
        if old.is_empty() {
            break;
        }
        for row in &old {
            let material = vault.unwrap_material(row)?;
            let (master_key_id, wrapped) = vault
                .inner
                .key_file
                .read()
                .expect("no panic holds this lock")
                .wrap(row.id.as_str(), &material);
            if row.is_current {
                data_keys::retire(&mut tx, &row.id, now).await?;
                let scope = scope_of(&row.scope);
                vault.make_data_key(&mut tx, &scope, now).await?;
                done.data_keys_replaced += 1;
            }
            data_keys::rewrap(&mut tx, &row.id, &master_key_id, &wrapped).await?;
            done.data_keys_wrapped += 1;
        }
        tx.commit().await?;
        progress(Step::Wrapped(done.data_keys_wrapped));
    }

    for secret in Sealed::ALL {
        let mut after = String::new();
        loop {
            let mut tx = db.begin().await?;
            let rows = secret.list(&mut tx, &after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.row);
            for row in rows {
                let place = secret.place(&row);
                let current = data_keys::current(&mut tx, row.scope.name()).await?;
                if current.is_some_and(|key| data_key_id(&row.sealed).is_ok_and(|id| id == key.id.as_str())) {
                    continue;
                }
                let plain = vault.open(&place, &row.sealed).await?;
                let sealed = vault.seal(&mut tx, &place, &plain, now).await?;
                debug_assert!(!plain.expose_secret().is_empty());
                // Only where the old ciphertext still stands: a token renewed meanwhile is newer than ours.
                done.secrets_sealed += secret.replace(&mut tx, &row, &sealed).await?;
            }
            tx.commit().await?;
            progress(Step::Sealed(done.secrets_sealed));
        }
    }

    let mut tx = db.begin().await?;
    done.data_keys_deleted = data_keys::delete_retired(&mut tx, now.plus_seconds(-GRACE_SECONDS)).await?;
    tx.commit().await?;
    Ok(done)
}

fn scope_of(name: &str) -> Scope {
    name.parse().map_or(Scope::Partner, Scope::Account)
}

/// A sealed value and where it stands.
#[derive(Debug)]
pub struct SealedRow {
    pub row: String,
    pub scope: Scope,
    pub sealed: Vec<u8>,
}

impl FromRow for SealedRow {
    fn from_row(row: &Row) -> store::Result<Self> {
        Ok(Self {
            row: row.get("row_id")?,
            scope: scope_of(&row.get::<String>("scope")?),
            sealed: row.get("sealed")?,
        })
    }
}

/// Every sealed column there is. A new one is added here, or rotation would leave it behind.
#[derive(Debug, Clone, Copy)]
enum Sealed {
    ClientSecret,
    Token,
    Code,
    SigningSecrets,
    PreviousSecret,
    LeadDetail,
    Quarantined,
    EndpointResponse,
}

impl Sealed {
    const ALL: [Self; 8] = [
        Self::ClientSecret,
        Self::Token,
        Self::Code,
        Self::SigningSecrets,
        Self::PreviousSecret,
        Self::LeadDetail,
        Self::Quarantined,
        Self::EndpointResponse,
    ];

    fn place(self, row: &SealedRow) -> Place<'_> {
        match self {
            Self::ClientSecret => connectors::client_secret_place(&row.row),
            Self::Token => connections::token_place(&row.scope, &row.row),
            Self::Code => connect_sessions::held_place(&row.scope, &row.row),
            Self::SigningSecrets => endpoints::secrets_place(&row.scope, &row.row),
            Self::PreviousSecret => connectors::previous_secret_place(&row.row),
            Self::LeadDetail => leads::detail_place(&row.scope, &row.row),
            Self::Quarantined => quarantine::change_place(&row.row),
            Self::EndpointResponse => deliveries::response_place(&row.scope, &row.row),
        }
    }

    async fn list(self, tx: &mut crate::store::Tx, after: &str, limit: i64) -> Result<Vec<SealedRow>> {
        Ok(match self {
            Self::ClientSecret => connectors::sealed(tx, after, limit).await?,
            Self::Token => connections::sealed(tx, after, limit).await?,
            Self::Code => connect_sessions::sealed(tx, after, limit).await?,
            Self::SigningSecrets => endpoints::sealed(tx, after, limit).await?,
            Self::PreviousSecret => connectors::sealed_previous(tx, after, limit).await?,
            Self::LeadDetail => lead_erasure::sealed(tx, after, limit).await?,
            Self::Quarantined => quarantine::sealed(tx, after, limit).await?,
            Self::EndpointResponse => deliveries::sealed(tx, after, limit).await?,
        })
    }

    async fn replace(self, tx: &mut crate::store::Tx, row: &SealedRow, sealed: &[u8]) -> Result<u64> {
        Ok(match self {
            Self::ClientSecret => connectors::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::Token => connections::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::Code => connect_sessions::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::SigningSecrets => endpoints::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::PreviousSecret => {
                connectors::replace_sealed_previous(tx, &row.row, &row.sealed, sealed).await?
            }
            Self::LeadDetail => lead_erasure::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::Quarantined => quarantine::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
            Self::EndpointResponse => deliveries::replace_sealed(tx, &row.row, &row.sealed, sealed).await?,
        })
    }
}
