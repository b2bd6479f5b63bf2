//! The keys of one moment, from the configuration or the secrets file.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::file::{self, Access, StoredKey};
use super::key::{CookieKey, SigningKey};
use super::set::{Entry, KeySet};
use crate::clock::Timestamp;
use crate::error::{Error, Failure, Result};
use crate::settings::Settings;

/// The keys of one moment.
pub struct Keys {
    /// The cookie keys: one seals, all of them open.
    pub cookie: KeySet<CookieKey>,
    /// The signing keys: one signs, all of them verify.
    pub signing: KeySet<SigningKey>,
}

/// Where the keys come from.
pub(super) struct Source {
    pub(super) path: PathBuf,
    cookie_key: Option<SecretString>,
    signing_key: Option<SecretString>,
}

impl Source {
    pub(super) fn from_settings(settings: &Settings) -> Self {
        Self {
            path: settings.secrets_path(),
            cookie_key: settings.cookie_key.clone(),
            signing_key: settings.signing_key.clone(),
        }
    }

    /// Returns whether a key comes from the secrets file.
    pub(super) fn needs_file(&self) -> bool {
        self.cookie_key.is_none() || self.signing_key.is_none()
    }

    /// Verifies the keys of the configuration, and those of the secrets file if there is one.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(super) fn check(&self) -> Result<()> {
        configured(self.cookie_key.as_ref(), CookieKey::decode)?;
        configured(self.signing_key.as_ref(), SigningKey::decode)?;
        match self.needs_file() && file::is_missing(&self.path)? {
            true => Ok(()),
            false => self.load().map(drop),
        }
    }

    /// Loads the keys of the configuration and, where it sets none, of the secrets file, and
    /// returns who may read that. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a key of the configuration is malformed; [`Error::Secrets`]
    /// when the file can't be read or one of its keys is malformed.
    pub(super) fn load(&self) -> Result<(Keys, Access)> {
        let configured = (
            configured(self.cookie_key.as_ref(), CookieKey::decode)?,
            configured(self.signing_key.as_ref(), SigningKey::decode)?,
        );
        if let (Some(cookie), Some(signing)) = configured {
            return Ok((Keys { cookie, signing }, Access::Owner));
        }
        let (file, access) = file::read(&self.path)?;
        let (cookie, signing) = configured;
        let keys = Keys {
            cookie: match cookie {
                Some(keys) => keys,
                None => stored(&self.path, &file.cookie_keys, CookieKey::decode)?,
            },
            signing: match signing {
                Some(keys) => keys,
                None => stored(&self.path, &file.signing_keys, SigningKey::decode)?,
            },
        };
        Ok((keys, access))
    }
}

impl Keys {
    /// Returns whether `other` has the same keys, used from the same times.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        fn summary<K>(keys: &KeySet<K>, id: impl Fn(&K) -> &str) -> Vec<(&str, Timestamp)> {
            let entries = keys.entries();
            entries
                .map(|entry| (id(&entry.key), entry.used_from))
                .collect()
        }
        summary(&self.cookie, CookieKey::id) == summary(&other.cookie, CookieKey::id)
            && summary(&self.signing, SigningKey::id) == summary(&other.signing, SigningKey::id)
    }
}

fn configured<K>(
    text: Option<&SecretString>,
    decode: impl FnOnce(&SecretString) -> Result<K>,
) -> Result<Option<KeySet<K>>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let entry = Entry {
        used_from: Timestamp::from(chrono::DateTime::UNIX_EPOCH),
        key: decode(text)?,
    };
    KeySet::new(vec![entry]).map(Some)
}

fn stored<K>(
    path: &Path,
    keys: &[StoredKey],
    decode: impl Fn(&SecretString) -> Result<K>,
) -> Result<KeySet<K>> {
    let entry = |stored: &StoredKey| match decode(&stored.key) {
        Ok(key) => Ok(Entry {
            used_from: stored.used_from(),
            key,
        }),
        Err(err) => Err(Error::Secrets(Failure::new(
            format!("{} has a key that can't be used", path.display()),
            err,
        ))),
    };
    KeySet::new(keys.iter().map(entry).collect::<Result<_>>()?)
}
