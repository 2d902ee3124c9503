//! Secrets at rest: envelope encryption. A data key for the partner and one for each account, wrapped by a
//! master key that lives outside the database.
//!
//! A sealed value is `version (1) | data key id (16) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM-SIV. Its
//! associated data binds the table, column, row and scope, so a value that is moved elsewhere does not open.

mod master;
mod rotate;

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use master::{KeyFile, MasterKeyId};
pub use rotate::{Rotation, SealedRow, Step, rotate};

use crate::{
    id::{AccountId, DataKeyId},
    random,
    store::{self, Db, Tx, data_keys},
    time::Timestamp,
};

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const ID_LEN: usize = 16;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 1 + ID_LEN + NONCE_LEN;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the key file {path} cannot be read")]
    ReadKeyFile { path: String, source: std::io::Error },
    #[error("the key file {path} cannot be written")]
    WriteKeyFile { path: String, source: std::io::Error },
    #[error("the key file {path} is not usable: {reason}")]
    KeyFile { path: String, reason: String },
    #[error("master key {id} is needed, but the key file does not have it")]
    MasterKeyMissing { id: String },
    #[error(
        "the key file {path} does not belong to this database: {reason}. Set ADJOIN_MASTER_KEY_FILE to the file that was \
         used with it, or put that file back from its copy. Nothing was changed; without it the stored secrets cannot be \
         read, and each account has to consent again"
    )]
    OtherKeyFile { path: String, reason: String },
    #[error("data key {id} does not exist")]
    DataKeyMissing { id: String },
    #[error("a sealed value does not open: it was altered, moved, or sealed under another key")]
    DoesNotOpen,
    #[error("the database failed the vault")]
    Store(#[from] store::Error),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Whose secrets a data key seals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    Partner,
    Account(AccountId),
}

impl Scope {
    fn name(&self) -> &str {
        match self {
            Self::Partner => "partner",
            Self::Account(id) => id.as_str(),
        }
    }
}

/// The place a sealed value stands in. It does not open anywhere else.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub scope: &'a Scope,
    pub table: &'static str,
    pub column: &'static str,
    pub row: &'a str,
}

impl Place<'_> {
    fn associated_data(&self, key: &str) -> Vec<u8> {
        // A separator that no id, table or column holds keeps the parts from running into each other.
        [self.table, self.column, self.row, self.scope.name(), key].join("\u{1f}").into_bytes()
    }
}

/// Seals and opens. Unwrapped data keys are kept in memory; the master key file is read again when a key is
/// wrapped by a master key that we have not seen, so rotation needs no restart.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    key_file: RwLock<KeyFile>,
    /// Data keys by id, unwrapped.
    open_keys: RwLock<HashMap<String, Arc<LessSafeKey>>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault over this database. There is no vault, and so no start, without a key file.
    pub fn new(db: Db, key_file: KeyFile) -> Self {
        Self { inner: Arc::new(Inner { db, key_file: RwLock::new(key_file), open_keys: RwLock::default() }) }
    }

    /// Whether the key file opens this database: of each master key that wraps here, it opens one data key. With another
    /// file all would look well until the first secret is needed.
    pub async fn check(&self) -> Result<()> {
        for row in data_keys::one_of_each_master_key(&self.inner.db).await? {
            let id = &row.master_key_id;
            let reason = match self.unwrap_material(&row) {
                Ok(_) => continue,
                Err(Error::MasterKeyMissing { .. }) => format!("it does not have the master key {id}"),
                Err(Error::DoesNotOpen) => format!("its master key {id} is not the one that was used"),
                Err(error) => return Err(error),
            };
            let path = self.inner.key_file.read().expect("no panic holds this lock").path();
            return Err(Error::OtherKeyFile { path, reason });
        }
        Ok(())
    }

    /// Seals a secret for one place, inside the transaction that stores it.
    pub async fn seal(
        &self,
        tx: &mut Tx,
        place: &Place<'_>,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<Vec<u8>> {
        let (id, key) = self.current_key(tx, place.scope, now).await?;
        Ok(seal_with(&key, &id, place, secret.expose_secret().as_bytes()))
    }

    /// Opens a sealed value that stands at this place.
    pub async fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let id = data_key_id(sealed)?;
        let key = self.key(&id).await?;
        let plain = open_with(&key, &id, place, sealed)?;
        String::from_utf8(plain.to_vec()).map(SecretString::from).map_err(|_| Error::DoesNotOpen)
    }

    /// Drops the data keys of an account that is erased. After the commit, [`Vault::forget`] them here as well: whatever
    /// they sealed is unreadable from then on; in other processes that have opened one, when they end.
    pub async fn drop_scope(&self, tx: &mut Tx, scope: &Scope) -> Result<Vec<DataKeyId>> {
        Ok(data_keys::delete_scope(tx, scope.name()).await?.into_iter().map(|key| key.id).collect())
    }

    /// Forgets data keys that are no longer there.
    pub fn forget(&self, dropped: &[DataKeyId]) {
        let mut open_keys = self.inner.open_keys.write().expect("no panic holds this lock");
        for id in dropped {
            open_keys.remove(id.as_str());
        }
    }

    async fn current_key(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<(String, Arc<LessSafeKey>)> {
        // Asked anew in each transaction: another node, or a rotation, may have made a newer one.
        let row = match data_keys::current(tx, scope.name()).await? {
            Some(row) => row,
            None => self.make_data_key(tx, scope, now).await?,
        };
        let key = self.unwrapped(&row)?;
        Ok((row.id.to_string(), key))
    }

    async fn make_data_key(&self, tx: &mut Tx, scope: &Scope, now: Timestamp) -> Result<data_keys::DataKey> {
        let material = Zeroizing::new(random::bytes::<KEY_LEN>());
        let id = DataKeyId::new();
        let (master_key_id, wrapped) = {
            let file = self.inner.key_file.read().expect("no panic holds this lock");
            file.wrap(id.as_str(), &*material)
        };
        let row = data_keys::DataKey {
            id,
            scope: scope.name().to_owned(),
            master_key_id,
            wrapped,
            is_current: true,
        };
        data_keys::insert(tx, &row, now).await?;
        Ok(row)
    }

    async fn key(&self, id: &str) -> Result<Arc<LessSafeKey>> {
        let cached = self.inner.open_keys.read().expect("no panic holds this lock").get(id).cloned();
        if let Some(key) = cached {
            return Ok(key);
        }
        let row = data_keys::by_id(&self.inner.db, id)
            .await?
            .ok_or_else(|| Error::DataKeyMissing { id: id.to_owned() })?;
        self.unwrapped(&row)
    }

    fn unwrapped(&self, row: &data_keys::DataKey) -> Result<Arc<LessSafeKey>> {
        let id = row.id.as_str();
        let cached = self.inner.open_keys.read().expect("no panic holds this lock").get(id).cloned();
        if let Some(key) = cached {
            return Ok(key);
        }
        let material = self.unwrap_material(row)?;
        let key = Arc::new(aead_key(&material));
        self.inner
            .open_keys
            .write()
            .expect("no panic holds this lock")
            .insert(id.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    fn unwrap_material(&self, row: &data_keys::DataKey) -> Result<Zeroizing<Vec<u8>>> {
        {
            let file = self.inner.key_file.read().expect("no panic holds this lock");
            if file.has(&row.master_key_id) {
                return file.unwrap(&row.master_key_id, row.id.as_str(), &row.wrapped);
            }
        }
        let mut file = self.inner.key_file.write().expect("no panic holds this lock");
        file.reload()?;
        file.unwrap(&row.master_key_id, row.id.as_str(), &row.wrapped)
    }
}

fn aead_key(material: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, material).expect("key material has 32 bytes"))
}

/// The raw 16 bytes of a data key's id, as they stand in a sealed value.
fn id_bytes(id: &str) -> [u8; ID_LEN] {
    let hex = id.rsplit('_').next().unwrap_or_default();
    u128::from_str_radix(hex, 16).unwrap_or_default().to_be_bytes()
}

fn data_key_id(sealed: &[u8]) -> Result<String> {
    if sealed.len() < HEADER_LEN + TAG_LEN || sealed[0] != VERSION {
        return Err(Error::DoesNotOpen);
    }
    let id: [u8; ID_LEN] = sealed[1..=ID_LEN].try_into().map_err(|_| Error::DoesNotOpen)?;
    Ok(format!("dk_{:032x}", u128::from_be_bytes(id)))
}

fn seal_with(key: &LessSafeKey, id: &str, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
    let nonce = random::bytes::<NONCE_LEN>();
    let mut sealed = Vec::with_capacity(HEADER_LEN + plain.len() + TAG_LEN);
    sealed.push(VERSION);
    sealed.extend_from_slice(&id_bytes(id));
    sealed.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(place.associated_data(id)),
        &mut body,
    )
    .expect("sealing fails only for bodies beyond 64 GiB");
    sealed.append(&mut body);
    sealed
}

fn open_with(key: &LessSafeKey, id: &str, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let nonce: [u8; NONCE_LEN] = sealed[1 + ID_LEN..HEADER_LEN].try_into().map_err(|_| Error::DoesNotOpen)?;
    let mut body = Zeroizing::new(sealed[HEADER_LEN..].to_vec());
    let plain_len = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place.associated_data(id)), &mut body)
        .map_err(|_| Error::DoesNotOpen)?
        .len();
    body.truncate(plain_len);
    Ok(body)
}
