//! Applications: clients with a name, API keys, and people of their own. A key belongs to one
//! application, so that it can be replaced without losing the people, and may expire. Only the
//! SHA-256 digest of its secret is stored, so the secret is shown once, when the key is created.

mod authority;
mod client;
mod directory;
mod hosts;
mod manage;
mod record;
pub(crate) mod store;
mod values;

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub(crate) use self::authority::{
    find_admin_key_state, lock_key, require_admin_key, require_reading_key,
};
pub use self::client::{ApiClient, KeyState};
pub(crate) use self::directory::Directory;
pub use self::hosts::{ApplicationKind, HostNames, NewApplication};
pub use self::manage::{ApplicationPage, ApplicationSummary, Deletion, MAX_COUNTED_PEOPLE};
pub(crate) use self::manage::{count_uses, delete_application, update_application};
pub use self::record::{ApplicationRecord, KeyRecord};
pub use self::store::{ApiKey, Application};
pub use self::values::{Expiry, Name, Scope};
use crate::clock::{Clock, Timestamp};
use crate::db::{AnyConnection, ApiKeyId, ApplicationId, Db};
use crate::error::{Error, Failure, Result};
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
    /// Its id: a form that is sent again has the same one.
    pub id: ApiKeyId,
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

    /// Returns the key with a secret, to be inserted.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it has no scope or does not expire in the future; [`Error::Internal`]
    /// when the system provides no randomness.
    pub(crate) fn with_secret(self, now: Timestamp) -> Result<KeyWithSecret> {
        let expires_at = self.expiry.resolve(now)?;
        if self.scopes.is_empty() {
            return Err(Error::field("scopes", "must name at least one scope"));
        }
        let secret: SecretString = format!("{PREFIX}{}", text::random::<SECRET_BYTES>()?).into();
        Ok(KeyWithSecret {
            new: self,
            expires_at,
            secret,
        })
    }
}

/// A key to be inserted, with its secret.
pub(crate) struct KeyWithSecret {
    new: NewKey,
    expires_at: Option<Timestamp>,
    /// The secret, which can't be read again.
    pub(crate) secret: SecretString,
}

impl KeyWithSecret {
    /// Inserts the key, and its application if that is new, as a part of a transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is a key with that id;
    /// [`Error::ApplicationExists`] when it is for a new application, and there is one of that name;
    /// [`Error::NotFound`] when the application doesn't exist, or is "Earlier", which has no keys.
    pub(crate) fn insert(&self, c: &mut AnyConnection, now: Timestamp) -> Result<ApiKey> {
        if store::find_key(c, self.new.id)?.is_some() {
            return Err(Error::Conflict(Failure::because("the key was made before")));
        }
        let owner = owner(c, &self.new.owner, now)?;
        let key = ApiKey {
            id: self.new.id,
            application_id: owner.id,
            scopes: Scope::join(&self.new.scopes),
            name: self.new.name.clone().map_or(owner.name, String::from),
            created_at: now,
            last_used_at: None,
            revoked_at: None,
            expires_at: self.expires_at,
        };
        match store::insert_key(c, &key, &digest(self.secret.expose_secret())) {
            // The application was deleted this moment.
            Err(Error::Reference(_)) => Err(Error::NotFound),
            inserted => inserted.map(|()| key),
        }
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

    /// Returns a key and its application.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key.
    pub async fn get_key(&self, id: ApiKeyId) -> Result<(Application, ApiKey)> {
        let found = self.db.read(move |c| store::find_key_with_owner(c, id));
        found.await?.ok_or(Error::NotFound)
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

/// Inserts an application without keys, as a part of a transaction.
///
/// # Errors
/// [`Error::ApplicationExists`] when another one has the name.
pub(crate) fn create_application(
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
