//! The queries of `users` by which administrators change what an account may do.

use diesel::prelude::*;

use super::{User, existing};
use crate::clock::Timestamp;
use crate::db::schema::users;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::people::values::{AccountState, Role};

/// Returns the person with that id and every active administrator, and keeps others from changing
/// their rows until the transaction ends. On PostgreSQL they are locked in one order, so that no two
/// such transactions deadlock; SQLite has only one writer.
pub(crate) fn lock_with_admins(c: &mut AnyConnection, id: UserId) -> Result<Vec<User>> {
    if let AnyConnection::Postgres(c) = c {
        return Ok(users::table
            .filter(users::id.eq(id).or(users::is_admin.and(users::is_active)))
            .order(users::id)
            .select(User::as_select())
            .for_no_key_update()
            .load(c)?);
    }
    list_with_admins(c, id)
}

/// Returns the person with that id and every active administrator. Two statements, since SQLite
/// would read everybody for one.
pub(crate) fn list_with_admins(c: &mut AnyConnection, id: UserId) -> Result<Vec<User>> {
    let mut people = users::table
        .filter(users::is_admin)
        .filter(users::is_active)
        .filter(users::id.ne(id))
        .select(User::as_select())
        .load(c)?;
    people.extend(
        users::table
            .filter(users::id.eq(id))
            .select(User::as_select())
            .load(c)?,
    );
    Ok(people)
}

/// Locks a person as [`lock`](super::lock) does, and verifies that they are an administrator.
///
/// # Errors
/// [`Error::NoAuthority`] when they are none, or their account is disabled or
/// deleted.
pub(crate) fn require_admin(c: &mut AnyConnection, id: UserId) -> Result<()> {
    match super::lock(c, id) {
        Ok(user) if user.is_admin && user.is_active => Ok(()),
        Ok(_) | Err(Error::NotFound) => Err(Error::NoAuthority),
        Err(err) => Err(err),
    }
}

/// Updates whether the owner of an account can sign in.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, as for the other below.
pub(crate) fn update_state(
    c: &mut AnyConnection,
    id: UserId,
    state: AccountState,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::is_active.eq(state == AccountState::Active),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Updates what an account may do.
pub(crate) fn update_role(
    c: &mut AnyConnection,
    id: UserId,
    role: Role,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::is_admin.eq(role == Role::Admin),
        users::is_auditor.eq(role == Role::Auditor),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}
