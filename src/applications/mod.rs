//! Applications: clients with a name, API keys, and people of their own. A key belongs to one
//! application, so that it can be replaced without losing the people, and may expire. Only the
//! SHA-256 digest of its secret is stored, so the secret is shown once, when the key is created.

mod client;
mod hosts;
mod manage;
mod record;
pub(crate) mod store;
mod values;

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub use self::client::{ApiClient, KeyState};
pub use self::hosts::{ApplicationKind, HostNames, NewApplication};
pub use self::manage::{ApplicationPage, ApplicationSummary, Deletion, MAX_COUNTED_PEOPLE};
pub use self::record::{ApplicationRecord, KeyRecord};
pub use self::store::{ApiKey, Application};
pub use self::values::{Expiry, Name, Scope};
use crate::clock::{Clock, Timestamp};
use crate::db::{AnyConnection, ApiKeyId, ApplicationId, Db};
use crate::error::{Error, Result};
use crate::text;

/// The prefix of every secret, by which scanners recognise a leaked one.
const PREFIX: &str = "rck_";
/// The shortest time between two writes of `last_used_at`.
const LAST_USE_INTERVAL: Duration = Duration::from_secs(60);
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// The application that a new key is for.
#[derive(Debug, Clone)]
pub enum KeyOwner {
    /// A new one with this name.
    New(Name),
    /// One that exists.
    Existing(ApplicationId),
}

/// A key to be created.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The application that it is for.
    pub owner: KeyOwner,
    /// Its name; `None` for that of the application.
    pub name: Option<Name>,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it expires.
    pub expiry: Expiry,
}

impl NewKey {
    /// Returns whether it reads or changes what is not its application's own.
    #[must_use]
    pub fn administers(&self) -> bool {
        let is_of_admin = |scope: &Scope| matches!(scope, Scope::AdminRead | Scope::AdminWrite);
        self.scopes.iter().any(is_of_admin)
    }
}

/// The applications of the service and their keys; clones share its database.
#[derive(Clone)]
pub struct Applications {
    db: Db,
    clock: Clock,
}

impl Applications {
    /// Returns the applications in `db`.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Creates a key, and its application if that is new. Returns the key and its secret, which
    /// can't be read again.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it has no scope or does not expire in the future;
    /// [`Error::ApplicationExists`] when it is for a new application, and there is one of that name;
    /// [`Error::NotFound`] when the application doesn't exist, or is "Earlier", which has no keys;
    /// [`Error::Internal`] when the system provides no randomness.
    pub async fn create_key(&self, new: NewKey) -> Result<(ApiKey, SecretString)> {
        let now = self.clock.now();
        let expires_at = new.expiry.resolve(now)?;
        if new.scopes.is_empty() {
            return Err(Error::field("scopes", "must be at least one"));
        }
        let secret: SecretString = format!("{PREFIX}{}", text::random::<SECRET_BYTES>()?).into();
        let hash = digest(secret.expose_secret());
        let key = self
            .db
            .transaction(move |c| {
                let owner = owner(c, &new.owner, now)?;
                let key = ApiKey {
                    id: ApiKeyId::new(now),
                    application_id: owner.id,
                    scopes: Scope::join(&new.scopes),
                    name: new.name.map_or(owner.name, String::from),
                    created_at: now,
                    last_used_at: None,
                    revoked_at: None,
                    expires_at,
                };
                store::insert_key(c, &key, &hash).map(|()| key)
            })
            .await
            .map_err(|err| match err {
                // The application was deleted this moment.
                Error::Reference(_) => Error::NotFound,
                err => err,
            })?;
        Ok((key, secret))
    }

    /// Returns the application whose key has this secret, and records the key's use, at most once a
    /// minute.
    ///
    /// # Errors
    /// [`Error::InvalidClient`] when there is none, or the key was revoked or has expired.
    pub async fn authenticate(&self, secret: &str) -> Result<ApiClient> {
        let (hash, now) = (digest(secret), self.clock.now());
        let found = self.db.read(move |c| store::find_in_use(c, &hash, now));
        let (application, key) = found.await?.ok_or(Error::InvalidClient)?;
        self.record_use(&key, now).await?;
        Ok(ApiClient { application, key })
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

    /// Returns whether there is such a key, and it was revoked.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn is_revoked(&self, id: ApiKeyId) -> Result<bool> {
        self.db.read(move |c| store::is_revoked(c, id)).await
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

/// Returns the application that a key is for, which is created if it is a new one.
fn owner(c: &mut AnyConnection, owner: &KeyOwner, now: Timestamp) -> Result<Application> {
    match owner {
        KeyOwner::New(name) => create_application(c, &NewApplication::service(name.clone()), now),
        KeyOwner::Existing(ApplicationId::EARLIER) => Err(Error::NotFound),
        KeyOwner::Existing(id) => store::get_application(c, *id),
    }
}

fn create_application(
    c: &mut AnyConnection,
    new: &NewApplication,
    now: Timestamp,
) -> Result<Application> {
    let application = Application {
        id: ApplicationId::new(now),
        name: new.name.as_str().to_owned(),
        uses_earlier: false,
        created_at: now,
        kind: new.kind,
        hosts: new.hosts.join(),
    };
    store::insert_application(c, &application).map(|()| application)
}

/// Returns whether a text has the form of a key's secret.
#[must_use]
pub fn is_key_secret(text: &str) -> bool {
    text.starts_with(PREFIX)
}

fn digest(secret: &str) -> String {
    Sha256::digest(secret)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
