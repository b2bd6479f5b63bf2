//! The secrets file: the keys that were made at first start, readable by its owner only. It is
//! written whole under another name and then put in place, so that nobody ever reads half of it.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

const PREAMBLE: &str =
    "# The keys of Rollcall. Whoever has them can sign in as anybody: keep this file to its owner
# (mode 0600), and back it up with the database. Without it everybody has to sign in again.
# The newest signing key signs; the others only verify what they signed. `rollcall key rotate`
# adds one.
";

/// What the file holds; keys are in Base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretsFile {
    pub(super) cookie_key: String,
    /// Newest first.
    pub(super) signing_keys: Vec<KeptKey>,
}

/// A signing key in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptKey {
    /// PKCS#8 DER.
    pub(super) key: String,
    pub(super) made_at: DateTime<Utc>,
}

impl KeptKey {
    fn new(made_at: DateTime<Utc>) -> Result<Self> {
        let mut seed = [0; 32];
        fill(&mut seed)?;
        let der = SigningKey::from_bytes(&seed)
            .to_pkcs8_der()
            .map_err(|fault| Error::Internal(format!("a signing key: {fault}")))?;
        Ok(Self {
            key: STANDARD.encode(der.as_bytes()),
            made_at,
        })
    }
}

impl SecretsFile {
    /// The file at `path`; made, with new keys, if it isn't there.
    pub(super) fn read_or_create(path: &Path, now: DateTime<Utc>) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => parse(path, &text),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => create(path, now),
            Err(fault) => Err(Error::Startup(format!(
                "cannot read the secrets in {}: {fault}",
                path.display()
            ))),
        }
    }

    /// Puts a new signing key first, and drops those that were followed before `over`: all that
    /// they signed has expired.
    pub(super) fn rotate(&mut self, now: DateTime<Utc>, over: DateTime<Utc>) -> Result<()> {
        let mut followed_at = now;
        self.signing_keys.retain(|kept| {
            let is_needed = followed_at > over;
            followed_at = kept.made_at;
            is_needed
        });
        self.signing_keys.insert(0, KeptKey::new(now)?);
        Ok(())
    }

    /// Writes the file anew, in place of the one that is there.
    pub(super) fn replace(&self, path: &Path) -> Result<()> {
        let file = self.write_beside(path)?;
        file.persist(path)
            .map(drop)
            .map_err(|fault| cannot(path, &fault.error))
    }

    fn write_beside(&self, path: &Path) -> Result<NamedTempFile> {
        let text = toml::to_string(self).map_err(|fault| cannot(path, &fault))?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(folder).map_err(|fault| cannot(path, &fault))?;
        write!(file, "{PREAMBLE}{text}")
            .and_then(|()| file.as_file().sync_all())
            .map_err(|fault| cannot(path, &fault))?;
        Ok(file)
    }
}

/// Two processes that start together end with one file.
fn create(path: &Path, now: DateTime<Utc>) -> Result<SecretsFile> {
    let mut cookie_key = [0; 64];
    fill(&mut cookie_key)?;
    let secrets = SecretsFile {
        cookie_key: STANDARD.encode(cookie_key),
        signing_keys: vec![KeptKey::new(now)?],
    };
    match secrets.write_beside(path)?.persist_noclobber(path) {
        Ok(_) => {
            tracing::info!(path = %path.display(), "new keys were made; back this file up");
            Ok(secrets)
        }
        Err(fault) if fault.error.kind() == std::io::ErrorKind::AlreadyExists => {
            SecretsFile::read_or_create(path, now)
        }
        Err(fault) => Err(cannot(path, &fault.error)),
    }
}

fn parse(path: &Path, text: &str) -> Result<SecretsFile> {
    warn_if_open(path);
    let not_one = || {
        Error::Startup(format!(
            "{} is not a secrets file with cookie_key and signing_keys",
            path.display()
        ))
    };
    // What toml has to say would quote the file.
    let secrets: SecretsFile = toml::from_str(text).map_err(|_| not_one())?;
    match secrets.signing_keys.is_empty() {
        true => Err(not_one()),
        false => Ok(secrets),
    }
}

fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    if fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "the secrets file can be read by others: chmod 600 it");
    }
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|fault| Error::Startup(format!("the system has no randomness: {fault}")))
}

fn cannot(path: &Path, fault: &dyn Display) -> Error {
    Error::Startup(format!(
        "cannot write the secrets to {}: {fault}",
        path.display()
    ))
}
