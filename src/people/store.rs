//! Every query of `users`.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::values::{Email, FullName, Subject};
use crate::db::schema::users;
use crate::db::{AnyConnection, Timestamp, UserId, read_from_text};
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};

diesel::define_sql_function! {
    /// The database's own lower case, as the unique index has it.
    fn lower(text: Text) -> Text;
}

/// A person with an account.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// As they want to be called.
    pub full_name: Option<String>,
    pub(super) password_hash: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether they are an administrator.
    pub is_admin: bool,
    pub(super) idle_limit_seconds: Option<i32>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the account last changed.
    pub updated_at: Timestamp,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// What is kept of the addresses they come from.
    pub address_keeping: AddressKeeping,
    /// Whether alerts are sent to their e-mail, too.
    pub alert_emails: bool,
}

read_from_text!(AddressKeeping);

/// An account to be made.
#[derive(Insertable)]
#[diesel(table_name = users)]
pub(super) struct NewUser<'a> {
    pub(super) id: UserId,
    pub(super) email: &'a str,
    pub(super) full_name: Option<&'a str>,
    pub(super) password_hash: &'a str,
    pub(super) external_subject: Option<&'a str>,
    pub(super) is_admin: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) password_changed_at: Timestamp,
}

/// # Errors
/// [`Error::EmailTaken`].
pub(super) fn insert(c: &mut AnyConnection, user: &NewUser<'_>) -> Result<()> {
    match diesel::insert_into(users::table)
        .values(user)
        .execute(c)
        .map_err(Error::from)
    {
        Ok(_) => Ok(()),
        Err(Error::Conflict(_)) => Err(Error::EmailTaken),
        Err(other) => Err(other),
    }
}

pub(super) fn by_email(c: &mut AnyConnection, email: &Email) -> Result<Option<User>> {
    let found = users::table
        .filter(lower(users::email).eq(email.as_str()))
        .select(User::as_select())
        .first(c)
        .optional()?;
    Ok(found)
}

pub(super) fn by_subject(c: &mut AnyConnection, subject: &Subject) -> Result<Option<User>> {
    let found = users::table
        .filter(users::external_subject.eq(subject.as_str()))
        .select(User::as_select())
        .first(c)
        .optional()?;
    Ok(found)
}

pub(super) fn by_id(c: &mut AnyConnection, id: UserId) -> Result<User> {
    Ok(users::table.find(id).select(User::as_select()).first(c)?)
}

/// Whether the person is active and has the password they were seen with. PostgreSQL keeps it so
/// until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock_unchanged(c: &mut AnyConnection, seen: &User) -> Result<bool> {
    let unchanged = users::table
        .find(seen.id)
        .filter(users::is_active.eq(true))
        .filter(users::password_changed_at.eq(seen.password_changed_at))
        .select(users::id);
    let found: Option<UserId> = match c {
        AnyConnection::Postgres(c) => unchanged.for_share().first(c).optional()?,
        AnyConnection::Sqlite(c) => unchanged.first(c).optional()?,
    };
    Ok(found.is_some())
}

/// Everybody, in the order of their e-mails.
pub(super) fn all(c: &mut AnyConnection) -> Result<Vec<User>> {
    Ok(users::table
        .order(users::email)
        .select(User::as_select())
        .load(c)?)
}

pub(super) fn admins(c: &mut AnyConnection) -> Result<i64> {
    Ok(users::table
        .filter(users::is_admin.eq(true))
        .count()
        .get_result(c)?)
}

pub(super) fn set_full_name(
    c: &mut AnyConnection,
    id: UserId,
    name: Option<&FullName>,
    now: Timestamp,
) -> Result<usize> {
    let changes = (
        users::full_name.eq(name.map(FullName::as_str)),
        users::updated_at.eq(now),
    );
    Ok(diesel::update(users::table.find(id))
        .set(changes)
        .execute(c)?)
}

/// # Errors
/// [`Error::EmailTaken`].
pub(super) fn set_email(
    c: &mut AnyConnection,
    id: UserId,
    email: &Email,
    now: Timestamp,
) -> Result<usize> {
    let changes = (users::email.eq(email.as_str()), users::updated_at.eq(now));
    let set = diesel::update(users::table.find(id)).set(changes);
    match set.execute(c).map_err(Error::from) {
        Err(Error::Conflict(_)) => Err(Error::EmailTaken),
        rows => rows,
    }
}

pub(super) fn set_idle_limit(
    c: &mut AnyConnection,
    id: UserId,
    seconds: Option<i32>,
    now: Timestamp,
) -> Result<usize> {
    let changes = (
        users::idle_limit_seconds.eq(seconds),
        users::updated_at.eq(now),
    );
    Ok(diesel::update(users::table.find(id))
        .set(changes)
        .execute(c)?)
}

pub(super) fn address_keeping(c: &mut AnyConnection, id: UserId) -> Result<AddressKeeping> {
    Ok(users::table
        .find(id)
        .select(users::address_keeping)
        .first(c)?)
}

pub(super) fn address_keepings(
    c: &mut AnyConnection,
    ids: &[UserId],
) -> Result<HashMap<UserId, AddressKeeping>> {
    let found: Vec<(UserId, AddressKeeping)> = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::address_keeping))
        .load(c)?;
    Ok(found.into_iter().collect())
}

pub(super) fn set_address_keeping(
    c: &mut AnyConnection,
    id: UserId,
    keeping: AddressKeeping,
    now: Timestamp,
) -> Result<usize> {
    let changes = (
        users::address_keeping.eq(keeping.as_str()),
        users::updated_at.eq(now),
    );
    Ok(diesel::update(users::table.find(id))
        .set(changes)
        .execute(c)?)
}

pub(super) fn set_alert_emails(
    c: &mut AnyConnection,
    id: UserId,
    wanted: bool,
    now: Timestamp,
) -> Result<usize> {
    let changes = (users::alert_emails.eq(wanted), users::updated_at.eq(now));
    Ok(diesel::update(users::table.find(id))
        .set(changes)
        .execute(c)?)
}

/// Sets a new password in place of the one that was seen.
pub(super) fn set_password(
    c: &mut AnyConnection,
    seen: &User,
    hash: &str,
    now: Timestamp,
) -> Result<usize> {
    let changes = (
        users::password_hash.eq(hash),
        users::password_changed_at.eq(now),
        users::updated_at.eq(now),
    );
    let unchanged = users::table
        .find(seen.id)
        .filter(users::password_changed_at.eq(seen.password_changed_at))
        .filter(users::password_hash.eq(&seen.password_hash));
    Ok(diesel::update(unchanged).set(changes).execute(c)?)
}

/// Keeps the same password under a newer hash, unless the password was changed meanwhile.
pub(super) fn rehash(c: &mut AnyConnection, id: UserId, old: &str, new: &str) -> Result<usize> {
    let unchanged = users::table.find(id).filter(users::password_hash.eq(old));
    Ok(diesel::update(unchanged)
        .set(users::password_hash.eq(new))
        .execute(c)?)
}

/// Deletes a person, and with them their sessions and events.
pub(super) fn delete(c: &mut AnyConnection, id: UserId) -> Result<usize> {
    Ok(diesel::delete(users::table.find(id)).execute(c)?)
}

pub(super) fn deactivate(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<usize> {
    let changes = (users::is_active.eq(false), users::updated_at.eq(now));
    Ok(diesel::update(users::table.find(id))
        .set(changes)
        .execute(c)?)
}
