//! What of a person changes or must hold as a part of a larger transaction.

use super::store::{self, User};
use super::values::IdleLimit;
use super::{PasswordHash, existing};
use crate::db::{AnyConnection, Timestamp, UserId};
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};

/// Sets a new password.
pub(crate) fn set_password(
    c: &mut AnyConnection,
    id: UserId,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<()> {
    existing(store::set_password(c, id, &hash.0, now)?)
}

/// Sets how long a person's devices may go unused.
pub(crate) fn set_idle_limit(
    c: &mut AnyConnection,
    id: UserId,
    limit: Option<IdleLimit>,
    now: Timestamp,
) -> Result<()> {
    let seconds = limit.and_then(|limit| i32::try_from(limit.span().as_secs()).ok());
    existing(store::set_idle_limit(c, id, seconds, now)?)
}

/// Bars a person from signing in.
pub(crate) fn deactivate(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    existing(store::deactivate(c, id, now)?)
}

/// Makes sure, until the transaction ends, that `user` is still active and has the password they
/// were seen with.
///
/// # Errors
/// [`Error::InvalidCredentials`] when not.
pub(crate) fn hold(c: &mut AnyConnection, user: &User) -> Result<()> {
    match store::lock_unchanged(c, user)? {
        true => Ok(()),
        false => Err(Error::InvalidCredentials),
    }
}

/// The person as they are now.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person.
pub(crate) fn by_id(c: &mut AnyConnection, id: UserId) -> Result<User> {
    store::by_id(c, id)
}

/// What is kept of the addresses a person comes from.
pub(crate) fn address_keeping(c: &mut AnyConnection, id: UserId) -> Result<AddressKeeping> {
    store::address_keeping(c, id)
}

/// Sets what is kept of the addresses a person comes from.
pub(crate) fn set_address_keeping(
    c: &mut AnyConnection,
    id: UserId,
    keeping: AddressKeeping,
    now: Timestamp,
) -> Result<()> {
    existing(store::set_address_keeping(c, id, keeping, now)?)
}
