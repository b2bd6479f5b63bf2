//! The secrets file: the keys created at the first start, and signing keys added since, readable by
//! its owner only. It is written to a temporary file that is then renamed, so that no process reads
//! a part of it.

use std::fs;
use std::io::Write;
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

use crate::error::{Error, Failure, Result};

const PREAMBLE: &str =
    "# The keys of Rollcall. Whoever has them can sign in as anybody: keep this file to its owner
# (mode 0600), and back it up with the database. Without it everybody has to sign in again.
# The newest signing key signs; the others only verify what they signed. `rollcall key rotate`
# adds one.
";

/// The content of the file; keys are in Base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretsFile {
    #[serde(serialize_with = "expose")]
    pub(super) cookie_key: SecretString,
    /// Newest first.
    pub(super) signing_keys: Vec<StoredKey>,
}

/// A signing key in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredKey {
    /// The private key in PKCS#8 DER.
    #[serde(serialize_with = "expose")]
    pub(super) key: SecretString,
    pub(super) made_at: DateTime<Utc>,
}

impl StoredKey {
    fn new(made_at: DateTime<Utc>) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        fill(seed.as_mut())?;
        let der = SigningKey::from_bytes(&seed)
            .to_pkcs8_der()
            .map_err(|err| Error::Internal(Failure::new("a signing key", err)))?;
        Ok(Self {
            key: STANDARD.encode(der.as_bytes()).into(),
            made_at,
        })
    }
}

impl SecretsFile {
    /// Returns the content of the file at `path`, which is created with new keys if it doesn't
    /// exist.
    pub(super) fn read_or_create(path: &Path, now: DateTime<Utc>) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => parse(path, &Zeroizing::new(text)),
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => create(path, now),
            Err(err) => Err(Error::Secrets(Failure::new(
                format!("cannot read the secrets in {}", path.display()),
                err,
            ))),
        }
    }

    /// Adds a new signing key in front, and deletes those replaced at or before `cutoff`: every
    /// token that they signed has expired.
    pub(super) fn rotate(&mut self, now: DateTime<Utc>, cutoff: DateTime<Utc>) -> Result<()> {
        let mut replaced_at = now;
        self.signing_keys.retain(|stored| {
            let is_needed = replaced_at > cutoff;
            replaced_at = stored.made_at;
            is_needed
        });
        self.signing_keys.insert(0, StoredKey::new(now)?);
        Ok(())
    }

    /// Replaces the file at `path` by one with this content.
    pub(super) fn replace(&self, path: &Path) -> Result<()> {
        let file = self.write_beside(path)?;
        file.persist(path)
            .map(drop)
            .map_err(|err| not_written(path, err.error))
    }

    /// Writes the content to a temporary file in the folder of `path`.
    fn write_beside(&self, path: &Path) -> Result<NamedTempFile> {
        let text = Zeroizing::new(toml::to_string(self).map_err(|err| not_written(path, err))?);
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // `NamedTempFile` creates it with mode 0600.
        let mut file = NamedTempFile::new_in(folder).map_err(|err| not_written(path, err))?;
        write!(file, "{PREAMBLE}{}", *text)
            .and_then(|()| file.as_file().sync_all())
            .map_err(|err| not_written(path, err))?;
        Ok(file)
    }
}

/// Creates the file. Of two processes that start together, one uses the file of the other.
fn create(path: &Path, now: DateTime<Utc>) -> Result<SecretsFile> {
    let mut cookie_key = Zeroizing::new([0; 64]);
    fill(cookie_key.as_mut())?;
    let secrets = SecretsFile {
        cookie_key: STANDARD.encode(cookie_key.as_slice()).into(),
        signing_keys: vec![StoredKey::new(now)?],
    };
    match secrets.write_beside(path)?.persist_noclobber(path) {
        Ok(_) => {
            tracing::info!(path = %path.display(), "new keys were created; back this file up");
            Ok(secrets)
        }
        Err(err) if err.error.kind() == std::io::ErrorKind::AlreadyExists => {
            SecretsFile::read_or_create(path, now)
        }
        Err(err) => Err(not_written(path, err.error)),
    }
}

fn parse(path: &Path, text: &str) -> Result<SecretsFile> {
    warn_if_open(path);
    let invalid = || {
        let path = path.display();
        Error::Secrets(
            format!("{path} is not a secrets file with cookie_key and signing_keys").into(),
        )
    };
    // The error of `toml` would quote the file.
    let secrets: SecretsFile = toml::from_str(text).map_err(|_| invalid())?;
    match secrets.signing_keys.is_empty() {
        true => Err(invalid()),
        false => Ok(secrets),
    }
}

fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "the secrets file can be read by others: chmod 600 it");
    }
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|err| Error::Secrets(Failure::new("the system has no randomness", err)))
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
