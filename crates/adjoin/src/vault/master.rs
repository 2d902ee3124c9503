//! The master key file: one `id:base64` line a key, the newest last. Only the newest wraps; all unwrap.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::aead::{Aad, Nonce};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Error, KEY_LEN, NONCE_LEN, Result, aead_key};
use crate::random;

pub type MasterKeyId = String;

/// The keys of a key file, in its order.
pub struct KeyFile {
    path: PathBuf,
    keys: Vec<(MasterKeyId, Zeroizing<Vec<u8>>)>,
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile").field("path", &self.path).field("keys", &self.keys.len()).finish()
    }
}

impl KeyFile {
    /// Reads a key file; without at least one key there is nothing to start with.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|source| Error::ReadKeyFile { path: shown.clone(), source })?;
        let bad = |line: usize, reason: &str| Error::KeyFile {
            path: shown.clone(),
            reason: format!("line {line}: {reason}"),
        };
        let mut keys: Vec<(MasterKeyId, Zeroizing<Vec<u8>>)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, key) = line.split_once(':').ok_or_else(|| bad(number + 1, "expected `id:key`"))?;
            let key = STANDARD
                .decode(key)
                .map(Zeroizing::new)
                .map_err(|_| bad(number + 1, "the key is not base64"))?;
            if key.len() != KEY_LEN {
                return Err(bad(number + 1, "the key does not have 32 bytes"));
            }
            if keys.iter().any(|(known, _)| known == id) {
                return Err(bad(number + 1, "this key id stands twice"));
            }
            keys.push((id.to_owned(), key));
        }
        if keys.is_empty() {
            return Err(Error::KeyFile { path: shown, reason: "it holds no key".to_owned() });
        }
        Ok(Self { path: path.to_owned(), keys })
    }

    /// Writes a new key file with one fresh key, readable by its owner only. Refuses to overwrite a file.
    pub fn generate(path: &Path) -> Result<Self> {
        let line = fresh_line();
        let write = || -> std::io::Result<()> {
            let mut file = owner_only().create_new(true).open(path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| Error::WriteKeyFile { path: path.display().to_string(), source })?;
        Self::read(path)
    }

    /// Adds a fresh key at the end, by writing the whole file anew and renaming it into place.
    pub fn add_key(&mut self) -> Result<MasterKeyId> {
        let next = self.path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut text = Zeroizing::new(std::fs::read_to_string(&self.path)?);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&fresh_line());
            let mut file = owner_only().create(true).truncate(true).open(&next)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&next, &self.path)
        };
        write().map_err(|source| Error::WriteKeyFile { path: self.path.display().to_string(), source })?;
        self.reload()?;
        Ok(self.newest().0.clone())
    }

    /// What to do when others on this machine may read the file, by the rule of PostgreSQL for its keys: a file of root's
    /// may be read by its group. It is a warning only, since secrets that are mounted into a container are often readable
    /// by all there, and cannot be changed.
    #[cfg(unix)]
    pub fn warning(&self) -> Option<String> {
        use std::os::unix::fs::MetadataExt as _;

        let file = std::fs::metadata(&self.path).ok()?;
        let too_much = if file.uid() == 0 { 0o027 } else { 0o077 };
        (file.mode() & too_much != 0).then(|| {
            let path = self.path.display();
            format!(
                "the key file {path} is open to others on this machine (mode {:04o}), and whoever reads it can open every \
                 stored secret. Run `chmod 600 {path}`, or mount it with mode 0400",
                file.mode() & 0o7777
            )
        })
    }

    #[cfg(not(unix))]
    pub fn warning(&self) -> Option<String> {
        None
    }

    pub(super) fn path(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn reload(&mut self) -> Result<()> {
        *self = Self::read(&self.path)?;
        Ok(())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|(known, _)| known == id)
    }

    fn newest(&self) -> &(MasterKeyId, Zeroizing<Vec<u8>>) {
        self.keys.last().expect("a key file holds at least one key")
    }

    pub(super) fn newest_id(&self) -> &str {
        &self.newest().0
    }

    /// Wraps a data key with the newest master key.
    pub(super) fn wrap(&self, data_key_id: &str, material: &[u8]) -> (MasterKeyId, Vec<u8>) {
        let (id, key) = self.newest();
        let nonce = random::bytes::<NONCE_LEN>();
        let mut wrapped = nonce.to_vec();
        let mut body = material.to_vec();
        aead_key(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(format!("{id}\u{1f}{data_key_id}").into_bytes()),
                &mut body,
            )
            .expect("a data key is short");
        wrapped.append(&mut body);
        (id.clone(), wrapped)
    }

    pub(super) fn unwrap(&self, id: &str, data_key_id: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| Error::MasterKeyMissing { id: id.to_owned() })?;
        let (nonce, body) = wrapped.split_at_checked(NONCE_LEN).ok_or(Error::DoesNotOpen)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| Error::DoesNotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let len = aead_key(key)
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(format!("{id}\u{1f}{data_key_id}").into_bytes()),
                &mut body,
            )
            .map_err(|_| Error::DoesNotOpen)?
            .len();
        body.truncate(len);
        Ok(body)
    }
}

fn fresh_line() -> Zeroizing<String> {
    let id = u64::from_be_bytes(random::bytes::<8>());
    let key = Zeroizing::new(random::bytes::<KEY_LEN>());
    Zeroizing::new(format!("mk_{id:016x}:{}\n", STANDARD.encode(*key)))
}

fn owner_only() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}
