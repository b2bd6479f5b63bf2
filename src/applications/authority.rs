//! Keys that act as an administrator.

use super::client::KeyState;
use super::store::{self, ApiKey};
use super::values::Scope;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApiKeyId, ApplicationId};
use crate::error::{Error, Result};

/// Verifies that a key of an application is in use and has the scope `admin:write`, as a part of a
/// transaction, and locks it until that ends.
///
/// # Errors
/// [`Error::InvalidClient`] when it was revoked or has expired; [`Error::NoAuthority`] when it lacks
/// the scope.
pub(crate) fn require_admin_key(
    c: &mut AnyConnection,
    (application, id): (ApplicationId, ApiKeyId),
    now: Timestamp,
) -> Result<()> {
    let key = store::find_locked_key(c, id)?.filter(|key| key.application_id == application);
    require(&key.ok_or(Error::InvalidClient)?, Scope::AdminWrite, now)
}

/// Verifies that a key is in use and has the scope `admin:read`.
///
/// # Errors
/// [`Error::InvalidClient`] when it was revoked or has expired; [`Error::NoAuthority`] when it lacks
/// the scope.
pub(crate) fn require_reading_key(
    c: &mut AnyConnection,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<()> {
    let key = store::find_key(c, id)?.ok_or(Error::InvalidClient)?;
    require(&key, Scope::AdminRead, now)
}

fn require(key: &ApiKey, scope: Scope, now: Timestamp) -> Result<()> {
    match (key.state(now), key.has(scope)) {
        (KeyState::InUse, true) => Ok(()),
        (KeyState::InUse, false) => Err(Error::NoAuthority),
        (KeyState::Expired | KeyState::Revoked, _) => Err(Error::InvalidClient),
    }
}

/// Locks a key until the transaction ends: nobody acts with it meanwhile.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn lock_key(c: &mut AnyConnection, id: ApiKeyId) -> Result<()> {
    store::lock_key(c, id)
}

/// Returns the state of a key as one that acts as an administrator: one that is deleted or lacks the
/// scope `admin:write` counts as revoked.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn find_admin_key_state(
    c: &mut AnyConnection,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<KeyState> {
    let key = store::find_key(c, id)?.filter(|key| key.has(Scope::AdminWrite));
    Ok(key.map_or(KeyState::Revoked, |key| key.state(now)))
}
