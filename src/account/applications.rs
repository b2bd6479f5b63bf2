//! What an administrator does to applications and their keys.

use secrecy::SecretString;

use super::Accounts;
use crate::applications::{self, ApiKey, Application, Deletion, NewApplication, NewKey};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApiKeyId, ApplicationId, Db};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::sessions::Authority;
use crate::sessions::bulk::{Stop, StopCause, stop_jobs_of_key};

impl Accounts {
    /// Creates a key, and its application if that is new. Returns the key and its secret, which
    /// can't be read again.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it has no scope or does not expire in the future;
    /// [`Error::Conflict`] when there is a key with that id;
    /// [`Error::ApplicationExists`] when it is for a new application, and there is one of that name;
    /// [`Error::NotFound`] when the application doesn't exist, or is "Earlier", which has no keys;
    /// [`Error::Internal`] when the system provides no randomness; those of an administrator who is
    /// none any more.
    pub async fn create_key(&self, new: NewKey, origin: Origin) -> Result<(ApiKey, SecretString)> {
        let now = self.clock.now();
        let new = new.with_secret(now)?;
        self.db
            .transaction(move |c| {
                let authority = Authority::require(c, &origin, now)?;
                let key = new.insert(c, now)?;
                record_key(c, EventKind::KeyCreated, &key, &authority, now)?;
                Ok((key, new.secret))
            })
            .await
    }

    /// Revokes a key, and stops the jobs that were ordered with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such key, or it was revoked already; those of an
    /// administrator who is none any more.
    pub async fn revoke_key(&self, id: ApiKeyId, origin: Origin) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let authority = Authority::require_over_key(c, &origin, id, now)?;
                if applications::store::revoke(c, id, now)? == 0 {
                    return Err(Error::NotFound);
                }
                let key = applications::store::find_key(c, id)?.ok_or(Error::NotFound)?;
                record_key(c, EventKind::KeyRevoked, &key, &authority, now)?;
                let stop = Stop {
                    cause: StopCause::KeyRevoked,
                    origin: authority.origin(),
                };
                stop_jobs_of_key(c, id, stop, now)
            })
            .await
    }

    /// Creates an application without keys.
    ///
    /// # Errors
    /// [`Error::ApplicationExists`] when another one has the name; those of an administrator who is
    /// none any more.
    pub async fn create_application(
        &self,
        new: NewApplication,
        origin: Origin,
    ) -> Result<Application> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                Authority::require(c, &origin, now)?;
                applications::create_application(c, &new, now)
            })
            .await
    }

    /// Updates the name, the kind and the hosts of an application.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such application, or it is "Earlier", which stays what it
    /// is; [`Error::ApplicationExists`] when another one has the name; those of an administrator who
    /// is none any more.
    pub async fn update_application(
        &self,
        id: ApplicationId,
        new: NewApplication,
        origin: Origin,
    ) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                Authority::require(c, &origin, now)?;
                applications::update_application(c, id, &new)
            })
            .await
    }

    /// Deletes an application and its keys, unless it has people or keys in use.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such application; those of an administrator who is none
    /// any more.
    pub async fn delete_application(&self, id: ApplicationId, origin: Origin) -> Result<Deletion> {
        let now = self.clock.now();
        let deleted = self.db.transaction(move |c| {
            Authority::require(c, &origin, now)?;
            applications::delete_application(c, id, now)
        });
        match deleted.await {
            // What refers to it stops the deletion, also if it came this moment.
            Err(Error::Reference(_)) => {
                let count = move |c: &mut _| applications::count_uses(c, id, now);
                self.db.read(count).await
            }
            deleted => deleted.map(|()| Deletion::Deleted),
        }
    }
}

/// Records what an administrator did to a key, with its name, its id, its application and its scopes.
fn record_key(
    c: &mut AnyConnection,
    kind: EventKind,
    key: &ApiKey,
    authority: &Authority,
    now: Timestamp,
) -> Result<()> {
    let application = applications::store::get_application(c, key.application_id)?;
    let detail = format!(
        "{} of {}: {} (id {})",
        key.name, application.name, key.scopes, key.id
    );
    let event = NewEvent::for_service(kind, authority.origin(), now).with_detail(detail);
    events::record_events(c, &[event])
}

/// Records that keys of the service were created or revoked on the command line.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn record_service_keys(
    db: &Db,
    created: Vec<String>,
    revoked: Vec<String>,
    now: Timestamp,
) -> Result<()> {
    let event =
        |kind, id: String| NewEvent::for_service(kind, &Origin::default(), now).with_detail(id);
    let created = created
        .into_iter()
        .map(|id| event(EventKind::ServiceKeyCreated, id));
    let revoked = revoked
        .into_iter()
        .map(|id| event(EventKind::ServiceKeyRevoked, id));
    let recorded: Vec<NewEvent> = revoked.chain(created).collect();
    db.write(move |c| events::record_events(c, &recorded)).await
}
