//! The secrets file: the keys created at the first start, and those added since, readable by its
//! owner only. It is written to a temporary file that is then renamed, so that no process reads a
//! part of it.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tempfile::NamedTempFile;

use crate::clock::Timestamp;
use crate::error::{Error, Failure, Result};

const PREAMBLE: &str =
    "# The keys of Rollcall. Whoever has them can sign in as anybody: keep this file to its owner
# (mode 0600), and back it up with the database. Without it everybody has to sign in again.
# Of each kind the newest key whose time has come (used_from) is in use; the others open or verify
# what they sealed or signed. `rollcall key` lists, rotates and revokes them; `count` is how many
# there are, so that a part of this file is not taken for the whole.
";

/// The most bytes of the file.
const MAX_BYTES: u64 = 1024 * 1024;
/// The random bytes of a cookie key.
const COOKIE_KEY_BYTES: usize = 64;

/// The content of the file; keys are in Base64, newest first. There is at least one of each kind.
#[derive(Serialize)]
pub(super) struct SecretsFile {
    count: usize,
    pub(super) cookie_keys: Vec<StoredKey>,
    pub(super) signing_keys: Vec<StoredKey>,
}

/// A key in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredKey {
    /// A signing key is a private key in PKCS#8 DER, a cookie key random bytes.
    #[serde(serialize_with = "expose")]
    pub(super) key: SecretString,
    made_at: DateTime<Utc>,
    /// `None` in files of versions that used a key at once.
    used_from: Option<DateTime<Utc>>,
}

/// The file as it is read: in this form, or with the one cookie key of earlier versions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    count: Option<usize>,
    cookie_key: Option<SecretString>,
    #[serde(default)]
    cookie_keys: Vec<StoredKey>,
    signing_keys: Vec<StoredKey>,
}

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Owner,
    Others,
}

impl StoredKey {
    /// Returns a new cookie key.
    pub(super) fn cookie(made_at: Timestamp, used_from: Timestamp) -> Result<Self> {
        let mut key = Zeroizing::new([0; COOKIE_KEY_BYTES]);
        fill(key.as_mut())?;
        Ok(Self::new(key.as_slice(), made_at, used_from))
    }

    /// Returns a new signing key.
    pub(super) fn signing(made_at: Timestamp, used_from: Timestamp) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        fill(seed.as_mut())?;
        let der = SigningKey::from_bytes(&seed)
            .to_pkcs8_der()
            .map_err(|err| Error::Internal(Failure::new("a signing key", err)))?;
        Ok(Self::new(der.as_bytes(), made_at, used_from))
    }

    fn new(key: &[u8], made_at: Timestamp, used_from: Timestamp) -> Self {
        Self {
            key: STANDARD.encode(key).into(),
            made_at: *made_at,
            used_from: Some(*used_from),
        }
    }

    /// Returns when the key was made.
    pub(super) fn made_at(&self) -> Timestamp {
        self.made_at.into()
    }

    /// Returns the time from which the key is used.
    pub(super) fn used_from(&self) -> Timestamp {
        self.used_from.unwrap_or(self.made_at).into()
    }
}

/// Reads the file at `path`, and returns who may read it. Nothing is written.
///
/// # Errors
/// [`Error::Secrets`] when the file can't be read, or is not a secrets file, or not a whole one.
pub(super) fn read(path: &Path) -> Result<(SecretsFile, Access)> {
    let metadata = fs::metadata(path).map_err(|err| not_read(path, err))?;
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(not_whole(path));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|err| not_read(path, err))?);
    Ok((parse(path, &text)?, access(&metadata)))
}

/// Changes the file at `path`: reads it, calls `change` and replaces it. Of several processes, one
/// does so at a time.
///
/// # Errors
/// As [`read`]; [`Error::Secrets`] when the file can't be replaced; the error of `change`. Then the
/// file stays as it is.
pub(super) fn edit<T>(
    path: &Path,
    change: impl FnOnce(&mut SecretsFile) -> Result<T>,
) -> Result<T> {
    // A link stays a link, and the file that it leads to is replaced.
    let path = &fs::canonicalize(path).map_err(|err| not_read(path, err))?;
    let folder = File::open(folder_of(path)).map_err(|err| not_written(path, err))?;
    folder.lock().map_err(|err| not_written(path, err))?;
    let (mut secrets, _) = read(path)?;
    let value = change(&mut secrets)?;
    secrets.count = secrets.cookie_keys.len() + secrets.signing_keys.len();
    let file = secrets.write_beside(path)?;
    copy_owner(path, file.as_file())?;
    file.persist(path)
        .map_err(|err| not_written(path, err.error))?;
    folder.sync_all().map_err(|err| not_written(path, err))?;
    Ok(value)
}

/// Creates the file at `path` with a new key of each kind, used from `now`. Returns false, and
/// changes nothing, when there is one.
///
/// # Errors
/// [`Error::Secrets`] when the file can't be written.
pub(super) fn create(path: &Path, now: Timestamp) -> Result<bool> {
    let secrets = SecretsFile {
        count: 2,
        cookie_keys: vec![StoredKey::cookie(now, now)?],
        signing_keys: vec![StoredKey::signing(now, now)?],
    };
    match secrets.write_beside(path)?.persist_noclobber(path) {
        Ok(_) => {
            tracing::info!(path = %path.display(), "new keys were created; back this file up");
            Ok(true)
        }
        Err(err) if err.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(err) => Err(not_written(path, err.error)),
    }
}

/// Returns whether there is no file at `path`.
///
/// # Errors
/// [`Error::Secrets`] when that can't be found out.
pub(super) fn is_missing(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(_) => Ok(false),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(true),
        Err(err) => Err(not_read(path, err)),
    }
}

/// Logs a warning when others may read the file.
pub(super) fn warn_of(access: Access, path: &Path) {
    if access == Access::Others {
        tracing::warn!(path = %path.display(), "the secrets file can be read by others: chmod 600 it");
    }
}

impl SecretsFile {
    /// Writes the content to a temporary file in the folder of `path`.
    fn write_beside(&self, path: &Path) -> Result<NamedTempFile> {
        let text = Zeroizing::new(toml::to_string(self).map_err(|err| not_written(path, err))?);
        // `NamedTempFile` creates it with mode 0600.
        let mut file =
            NamedTempFile::new_in(folder_of(path)).map_err(|err| not_written(path, err))?;
        write!(file, "{PREAMBLE}\n{}", *text)
            .and_then(|()| file.as_file().sync_all())
            .map_err(|err| not_written(path, err))?;
        Ok(file)
    }
}

fn parse(path: &Path, text: &str) -> Result<SecretsFile> {
    // The error of `toml` would quote the file.
    let mut stored: Stored = toml::from_str(text).map_err(|_| not_whole(path))?;
    if stored.count.is_none() {
        stored.update().ok_or_else(|| not_whole(path))?;
    }
    let Stored {
        count,
        cookie_keys,
        signing_keys,
        ..
    } = stored;
    let mut keys = cookie_keys.iter().chain(&signing_keys);
    let is_whole = count == Some(keys.clone().count()) && keys.all(|key| key.used_from.is_some());
    match is_whole && !cookie_keys.is_empty() && !signing_keys.is_empty() {
        false => Err(not_whole(path)),
        true => Ok(SecretsFile {
            count: cookie_keys.len() + signing_keys.len(),
            cookie_keys,
            signing_keys,
        }),
    }
}

impl Stored {
    /// Updates the form of earlier versions to this one. Returns `None` when it is not that form.
    fn update(&mut self) -> Option<()> {
        // The cookie key was made with the first signing key, so not after those that are left.
        let made_at = self.signing_keys.iter().map(|key| key.made_at).min()?;
        let key = self
            .cookie_key
            .take()
            .filter(|_| self.cookie_keys.is_empty())?;
        self.cookie_keys.push(StoredKey {
            key,
            made_at,
            used_from: None,
        });
        for key in self.cookie_keys.iter_mut().chain(&mut self.signing_keys) {
            key.used_from = key.used_from.or(Some(key.made_at));
        }
        self.count = Some(self.cookie_keys.len() + self.signing_keys.len());
        Some(())
    }
}

fn access(metadata: &Metadata) -> Access {
    match metadata.permissions().mode() & 0o077 {
        0 => Access::Owner,
        _ => Access::Others,
    }
}

/// Gives `file` the owner of the file at `path`: root may rotate the keys of a service that runs as
/// somebody else.
fn copy_owner(path: &Path, file: &File) -> Result<()> {
    let owner = |metadata: Metadata| (metadata.uid(), metadata.gid());
    let former = fs::metadata(path).map(owner);
    let (former, new) = former
        .and_then(|former| Ok((former, owner(file.metadata()?))))
        .map_err(|err| not_written(path, err))?;
    if former == new {
        return Ok(());
    }
    fchown(file, Some(former.0), Some(former.1)).map_err(|err| {
        let path = path.display();
        Error::Secrets(Failure::new(
            format!("cannot keep the owner of {path}; run this as the user of the service"),
            err,
        ))
    })
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|err| Error::Secrets(Failure::new("the system has no randomness", err)))
}

fn not_read(path: &Path, err: std::io::Error) -> Error {
    let path = path.display();
    Error::Secrets(Failure::new(
        format!("cannot read the secrets in {path}"),
        err,
    ))
}

fn not_whole(path: &Path) -> Error {
    let path = path.display();
    Error::Secrets(
        format!(
            "{path} is not a secrets file with cookie_keys and signing_keys, or not a whole one"
        )
        .into(),
    )
}

fn not_written(path: &Path, err: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let path = path.display();
    Error::Secrets(Failure::new(
        format!("cannot write the secrets to {path}"),
        err,
    ))
}

/// Serializes a secret unredacted, for the file that stores it.
fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
