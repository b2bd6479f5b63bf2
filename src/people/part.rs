//! What of a person changes or must hold as a part of a larger transaction.

use std::collections::HashMap;

use super::store::{self, User};
use super::values::{Email, IdleLimit};
use super::{PasswordHash, existing};
use crate::db::{AnyConnection, Timestamp, UserId};
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};

/// Sets a new password, unless it was changed since the person was seen.
pub(crate) fn set_password(
    c: &mut AnyConnection,
    seen: &User,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<()> {
    match store::set_password(c, seen, &hash.0, now)? {
        0 => Err(Error::InvalidCredentials),
        _ => Ok(()),
    }
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

/// Changes what a person signs in with.
///
/// # Errors
/// [`Error::EmailTaken`].
pub(crate) fn set_email(
    c: &mut AnyConnection,
    id: UserId,
    email: &Email,
    now: Timestamp,
) -> Result<()> {
    existing(store::set_email(c, id, email, now)?)
}

/// Gives a person an e-mail back that they had. If it is somebody else's by now, it stays theirs.
///
/// # Errors
/// When the database refuses.
pub(crate) fn restore_email(
    c: &mut AnyConnection,
    id: UserId,
    email: &str,
    now: Timestamp,
) -> Result<()> {
    let email: Email = email.parse()?;
    let holder = store::by_email(c, &email)?;
    match holder {
        Some(_) => Ok(()),
        None => set_email(c, id, &email, now),
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

/// What is kept of the addresses of each of these.
pub(crate) fn address_keepings(
    c: &mut AnyConnection,
    ids: &[UserId],
) -> Result<HashMap<UserId, AddressKeeping>> {
    store::address_keepings(c, ids)
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
