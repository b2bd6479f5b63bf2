//! Applications and their API keys. A key has a name and scopes. Only the SHA-256 digest of its
//! secret is stored, so the secret is shown once, when the key is created.

mod store;

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use strum::{EnumString, IntoStaticStr};

pub use self::store::ApiKey;
use crate::clock::{Clock, Timestamp};
use crate::db::{ApiKeyId, Db};
use crate::error::{Error, Result};
use crate::text;

/// The prefix of every secret, by which scanners recognise a leaked one.
const PREFIX: &str = "rck_";
/// The shortest time between two writes of `last_used_at`.
const LAST_USE_INTERVAL: Duration = Duration::from_secs(60);
/// Characters a key's name may have.
const NAME_LIMIT: usize = 255;
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// What a key may be used for. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = String,
    parse_err_fn = unknown_scope
)]
pub enum Scope {
    /// Introspecting and revoking tokens.
    Tokens,
    /// Creating, listing and ending sessions of people whom the application authenticates itself.
    Sessions,
}

impl Scope {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_scope(text: &str) -> String {
    format!("{text:?} is not a scope; allowed: tokens, sessions")
}

impl ApiKey {
    /// Verifies that the key has `scope`.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`] when it lacks the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        match self.scopes.split(' ').any(|has| has == scope.as_str()) {
            true => Ok(()),
            false => Err(Error::InsufficientScope {
                scope: scope.as_str(),
            }),
        }
    }
}

/// The API keys of the service; clones share its database.
#[derive(Clone)]
pub struct ApiKeys {
    db: Db,
    clock: Clock,
}

impl ApiKeys {
    /// Returns the keys in `db`.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Creates a key. Returns it and its secret, which can't be read again.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is empty or longer than 255 characters; [`Error::Internal`]
    /// when the system provides no randomness.
    pub async fn create_key(&self, name: &str, scopes: &[Scope]) -> Result<(ApiKey, SecretString)> {
        let name = text::clean(name);
        if !(1..=NAME_LIMIT).contains(&name.chars().count()) {
            return Err(Error::field("name", "must have 1 to 255 characters"));
        }
        let secret: SecretString = format!("{PREFIX}{}", text::random::<SECRET_BYTES>()?).into();
        let now = self.clock.now();
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let key = ApiKey {
            id: ApiKeyId::new(now),
            name,
            scopes: scopes.join(" "),
            created_at: now,
            last_used_at: None,
            revoked_at: None,
        };
        let (row, hash) = (key.clone(), digest(secret.expose_secret()));
        self.db
            .write(move |c| store::insert(c, &row, &hash))
            .await?;
        Ok((key, secret))
    }

    /// Returns the key with this secret, and records its use, at most once a minute.
    ///
    /// # Errors
    /// [`Error::InvalidClient`] when there is none, or it was revoked.
    pub async fn authenticate(&self, secret: &str) -> Result<ApiKey> {
        let hash = digest(secret);
        let found = self.db.read(move |c| store::find_active(c, &hash)).await?;
        let key = found.ok_or(Error::InvalidClient)?;
        self.record_use(&key, self.clock.now()).await?;
        Ok(key)
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key, or it was revoked already.
    pub async fn revoke_key(&self, id: ApiKeyId) -> Result<()> {
        let now = self.clock.now();
        match self.db.write(move |c| store::revoke(c, id, now)).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Lists every key, revoked ones included, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_keys(&self) -> Result<Vec<ApiKey>> {
        self.db.read(store::list).await
    }

    async fn record_use(&self, key: &ApiKey, now: Timestamp) -> Result<()> {
        let is_recent = key
            .last_used_at
            .is_some_and(|at| now.since(at) < LAST_USE_INTERVAL);
        if is_recent {
            return Ok(());
        }
        let id = key.id;
        self.db
            .write(move |c| store::update_last_use(c, id, now).map(drop))
            .await
    }
}

fn digest(secret: &str) -> String {
    Sha256::digest(secret)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
