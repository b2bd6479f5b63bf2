//! The kinds of keys: when a new one is used, and how long what it made is valid.

use std::time::Duration;

use serde::Serialize;

use super::file::{SecretsFile, StoredKey};
use super::key::{CookieKey, SigningKey};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::settings::Settings;

/// How long a JWKS may be cached.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// How often a running server reads the secrets file.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(5);
/// How long a new key stands in the file before it is used: a signing key until no cached JWKS
/// lacks it, and any key until every server has read it. The margin is for clocks that differ, and
/// for nodes that have a copy of the file.
const NOTICE: Duration = Duration::from_secs(
    JWKS_MAX_AGE.as_secs() + RELOAD_INTERVAL.as_secs() + NOTICE_MARGIN.as_secs(),
);
const NOTICE_MARGIN: Duration = Duration::from_secs(55);
/// The longest lifetime of a cookie that browsers allow (RFC 6265bis, 5.5).
const COOKIE_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// A kind of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display, strum::VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum KeyKind {
    /// The keys of access tokens.
    Signing,
    /// The keys of session cookies, CSRF tokens, refresh tokens and links in messages.
    Cookie,
}

/// When a new key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Once every server knows it and no cached JWKS lacks it: after 6 minutes.
    Announced,
    /// At once.
    Now,
}

/// A key that was added to the file.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: KeyKind,
    /// The time from which it is used.
    pub used_from: Timestamp,
    /// How many keys of its kind the file has now.
    pub count: usize,
}

impl KeyKind {
    /// Returns the setting that takes the place of the file's keys.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::Signing => "signing_key",
            Self::Cookie => "cookie_key",
        }
    }

    /// Returns how long what a key sealed or signed can be valid.
    pub(super) fn lifetime(self, settings: &Settings) -> Duration {
        let sessions = &settings.sessions;
        match self {
            Self::Signing => settings.tokens.access_lifetime,
            // A refresh token is valid until the absolute limit, and a link as long as its alert.
            Self::Cookie => COOKIE_LIFETIME
                .max(sessions.absolute_limit)
                .max(sessions.remembered_absolute_limit)
                .max(sessions.retention),
        }
    }

    pub(super) fn is_configured(self, settings: &Settings) -> bool {
        match self {
            Self::Signing => settings.signing_key.is_some(),
            Self::Cookie => settings.cookie_key.is_some(),
        }
    }

    pub(super) fn id_of(self, key: &StoredKey) -> Result<String> {
        match self {
            Self::Signing => Ok(SigningKey::decode(&key.key)?.id().to_owned()),
            Self::Cookie => Ok(CookieKey::decode(&key.key)?.id().to_owned()),
        }
    }

    pub(super) fn keys(self, file: &mut SecretsFile) -> &mut Vec<StoredKey> {
        match self {
            Self::Signing => &mut file.signing_keys,
            Self::Cookie => &mut file.cookie_keys,
        }
    }

    /// Adds a new key in front.
    pub(super) fn add(
        self,
        file: &mut SecretsFile,
        now: Timestamp,
        start: Start,
    ) -> Result<NewKey> {
        let used_from = match start {
            Start::Announced => now + NOTICE,
            Start::Now => now,
        };
        let key = match self {
            Self::Signing => StoredKey::signing(now, used_from)?,
            Self::Cookie => StoredKey::cookie(now, used_from)?,
        };
        let id = self.id_of(&key)?;
        self.keys(file).insert(0, key);
        Ok(NewKey {
            id,
            kind: self,
            used_from,
            count: self.keys(file).len(),
        })
    }
}
