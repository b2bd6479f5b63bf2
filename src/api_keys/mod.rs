//! Applications that work with us: each has a key with a name and scopes. Only a digest of the
//! secret is kept, so the key is seen once, when it is made.

mod store;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub use self::store::ApiKey;
use crate::clock::Clock;
use crate::db::{ApiKeyId, Db, Timestamp};
use crate::error::{Error, Result};
use crate::text;

/// What every secret begins with, so that one that got out is recognised for what it is.
const PREFIX: &str = "rck_";
/// `last_used_at` is written at most this often.
const NOTED_EVERY: Duration = Duration::from_secs(60);
const NAME_LIMIT: usize = 255;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Asking whether tokens are good, and revoking them.
    Tokens,
    /// Opening, listing and ending sessions of people whom the application signs in itself.
    Sessions,
}

impl Scope {
    const ALL: [Self; 2] = [Self::Tokens, Self::Sessions];

    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no scope; there are: tokens, sessions"))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ApiKey {
    /// # Errors
    /// [`Error::InsufficientScope`] when the key was not made for that.
    pub fn require(&self, scope: Scope) -> Result<()> {
        match self.scopes.split(' ').any(|has| has == scope.as_str()) {
            true => Ok(()),
            false => Err(Error::InsufficientScope {
                scope: scope.as_str(),
            }),
        }
    }
}

/// The keys of the service.
#[derive(Clone)]
pub struct ApiKeys {
    db: Db,
    clock: Clock,
}

impl ApiKeys {
    /// Keys kept in `db`.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Makes a key. Answers with it and its secret, which is not to be had again.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is empty or too long.
    pub async fn create(&self, name: &str, scopes: &[Scope]) -> Result<(ApiKey, String)> {
        let name = text::clean(name);
        if !(1..=NAME_LIMIT).contains(&name.chars().count()) {
            return Err(Error::field("name", "must have 1 to 255 characters"));
        }
        let secret = new_secret()?;
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
        let (kept, hash) = (key.clone(), digest(&secret));
        self.db
            .write(move |c| store::insert(c, &kept, &hash))
            .await?;
        Ok((key, secret))
    }

    /// The key whose secret this is.
    ///
    /// # Errors
    /// [`Error::InvalidClient`] when there is none, or it was revoked.
    pub async fn authenticate(&self, secret: &str) -> Result<ApiKey> {
        let hash = digest(secret);
        let found = self.db.read(move |c| store::active(c, &hash)).await?;
        let key = found.ok_or(Error::InvalidClient)?;
        self.note_use(&key, self.clock.now()).await?;
        Ok(key)
    }

    /// Ends the use of a key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key in use.
    pub async fn revoke(&self, id: ApiKeyId) -> Result<()> {
        let now = self.clock.now();
        match self.db.write(move |c| store::revoke(c, id, now)).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Every key, also those that were revoked, newest first.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn all(&self) -> Result<Vec<ApiKey>> {
        self.db.read(store::all).await
    }

    async fn note_use(&self, key: &ApiKey, now: Timestamp) -> Result<()> {
        let is_noted = key
            .last_used_at
            .is_some_and(|at| now.since(at) < NOTED_EVERY);
        if is_noted {
            return Ok(());
        }
        let id = key.id;
        self.db
            .write(move |c| store::touch(c, id, now).map(drop))
            .await
    }
}

fn new_secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|fault| Error::Internal(format!("no randomness: {fault}")))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn digest(secret: &str) -> String {
    Sha256::digest(secret)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
