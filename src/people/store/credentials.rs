//! The queries of `users` that change what a person signs in with: their e-mail and password.

use std::time::Duration;

use diesel::prelude::*;

use super::{User, existing, unique_email};
use crate::clock::Timestamp;
use crate::db::schema::users;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::net::IpRetention;
use crate::people::passwords::{PasswordHash, VoidPassword};
use crate::people::values::Email;

/// Updates the e-mail that a person signs in with, to one that is verified now.
///
/// # Errors
/// [`Error::EmailTaken`] when another account has it; [`Error::NotFound`] when there is no such
/// person.
pub(crate) fn update_email(
    c: &mut AnyConnection,
    id: UserId,
    email: &Email,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::email.eq(email.as_str()),
        users::email_verified_at.eq(now),
        users::is_email_from_before.eq(false),
        users::email_declined_at.eq(None::<Timestamp>),
        users::updated_at.eq(now),
    );
    let update = diesel::update(users::table.find(id)).set(changes);
    existing(unique_email(update.execute(c).map_err(Error::from))?)
}

/// Replaces the e-mail of a person by one that can't exist, so that nobody can sign in with it or
/// gets their messages.
pub(crate) fn remove_email(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    let changes = (
        users::email.eq(format!("{id}@removed.invalid")),
        users::email_verified_at.eq(None::<Timestamp>),
        users::is_email_from_before.eq(false),
        users::email_declined_at.eq(None::<Timestamp>),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Marks the e-mail of a person as verified.
pub(crate) fn mark_email_verified(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    let changes = (
        users::email_verified_at.eq(now),
        users::is_email_from_before.eq(false),
        users::email_declined_at.eq(None::<Timestamp>),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Marks the e-mails from before addresses were verified as verified, except those that were
/// declined. Returns how many.
pub(in crate::people) fn mark_all_emails_verified(
    c: &mut AnyConnection,
    now: Timestamp,
) -> Result<usize> {
    let from_before = users::table
        .filter(users::is_email_from_before.eq(true))
        .filter(users::email_declined_at.is_null());
    let changes = (
        users::email_verified_at.eq(now),
        users::is_email_from_before.eq(false),
        users::updated_at.eq(now),
    );
    Ok(diesel::update(from_before).set(changes).execute(c)?)
}

/// Marks the e-mail of a person as one that somebody else reads: it gets no alerts.
pub(crate) fn mark_email_declined(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    let changes = (users::email_declined_at.eq(now), users::updated_at.eq(now));
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Gives an account that is handed over to the owner of its mailbox the settings of a new one.
pub(crate) fn reset_settings(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    let changes = (
        users::full_name.eq(None::<String>),
        users::idle_limit_seconds.eq(None::<i32>),
        users::address_keeping.eq(IpRetention::Whole.as_str()),
        users::alert_emails.eq(true),
        users::time_zone.eq(None::<String>),
        users::browser_time_zone.eq(None::<String>),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Voids the links that set a person's password, in messages from before now. The time grows with
/// each call, even within one instant, so that what is bound to it is void as well.
pub(crate) fn void_password_links(
    c: &mut AnyConnection,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    let last = user.password_links_void_before;
    let at = last.map_or(now, |last| now.max(last + Duration::from_micros(1)));
    existing(
        diesel::update(users::table.find(user.id))
            .set(users::password_links_void_before.eq(at))
            .execute(c)?,
    )
}

/// Replaces the hash of a person's password by one that no password matches.
pub(crate) fn void_password(
    c: &mut AnyConnection,
    id: UserId,
    void: &VoidPassword,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::password_hash.eq(void.as_str()),
        users::password_changed_at.eq(now),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Sets a new password in place of the one that `user` was read with.
///
/// # Errors
/// [`Error::InvalidCredentials`] when the password was changed since, or there is no such person.
pub(crate) fn update_password(
    c: &mut AnyConnection,
    user: &User,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::password_hash.eq(hash.as_str()),
        users::password_changed_at.eq(now),
        users::updated_at.eq(now),
    );
    let unchanged = users::table
        .find(user.id)
        .filter(users::password_changed_at.eq(user.password_changed_at))
        .filter(users::password_hash.eq(&user.password_hash));
    match diesel::update(unchanged).set(changes).execute(c)? {
        0 => Err(Error::InvalidCredentials),
        _ => Ok(()),
    }
}

/// Replaces the hash `old` by a newer one of the same password, unless the password was changed
/// meanwhile. Returns how many rows changed.
pub(in crate::people) fn update_hash(
    c: &mut AnyConnection,
    id: UserId,
    old: &str,
    new: &PasswordHash,
) -> Result<usize> {
    let unchanged = users::table.find(id).filter(users::password_hash.eq(old));
    Ok(diesel::update(unchanged)
        .set(users::password_hash.eq(new.as_str()))
        .execute(c)?)
}
