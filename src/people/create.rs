//! Creates accounts: with a password, and of people who are invited to set one.

use super::new_password::NewPassword;
use super::passwords::{PasswordHash, VoidPassword};
use super::store::{self, NewUser, User};
use super::values::{Email, FullName, Role};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};

/// Who vouches for the e-mail of a new account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailTrust {
    /// Nobody yet: a link in a message has to verify it.
    Unverified,
    /// An administrator or the operator, who made the account.
    Vouched,
}

/// An account to be created.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Unique among all accounts.
    pub email: Email,
    /// Who vouches for the e-mail.
    pub trust: EmailTrust,
    /// The name to call the person by.
    pub full_name: Option<FullName>,
    /// The password, already checked for its length.
    pub password: NewPassword,
    /// What the account may do.
    pub role: Role,
}

/// A person to be invited: no password opens the account until they set one.
#[derive(Debug, Clone)]
pub struct Invitee {
    /// Unique among all accounts.
    pub email: Email,
    /// The name to call the person by.
    pub full_name: Option<FullName>,
    /// What the account may do.
    pub role: Role,
}

/// Creates an account, as a part of a transaction.
///
/// # Errors
/// [`Error::EmailTaken`] when another account has the e-mail, or had it and can still take its
/// account back.
pub(crate) fn create_user(
    c: &mut AnyConnection,
    account: &NewAccount,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<User> {
    let person = Invitee {
        email: account.email.clone(),
        full_name: account.full_name.clone(),
        role: account.role,
    };
    insert(c, &person, (account.trust, hash.as_str()), now)
}

/// Creates the account of somebody who is invited, as a part of a transaction.
///
/// # Errors
/// As [`create_user`].
pub(crate) fn create_invited(
    c: &mut AnyConnection,
    invitee: &Invitee,
    (trust, void): (EmailTrust, &VoidPassword),
    now: Timestamp,
) -> Result<User> {
    insert(c, invitee, (trust, void.as_str()), now)
}

fn insert(
    c: &mut AnyConnection,
    person: &Invitee,
    (trust, password_hash): (EmailTrust, &str),
    now: Timestamp,
) -> Result<User> {
    if find_holder(c, &person.email, now)?.is_some() {
        return Err(Error::EmailTaken);
    }
    let id = UserId::new(now);
    let user = NewUser {
        id,
        email: person.email.as_str(),
        full_name: person.full_name.as_ref().map(FullName::as_str),
        password_hash,
        external_subject: None,
        application_id: None,
        stated_email: None,
        email_verified_at: (trust == EmailTrust::Vouched).then_some(now),
        is_admin: person.role == Role::Admin,
        is_auditor: person.role == Role::Auditor,
        created_at: now,
        updated_at: now,
        password_changed_at: now,
    };
    store::insert(c, &user)?;
    store::get(c, id)
}

/// Finds the account that nobody else may share `email` with: the one that has it, or one that had
/// it and can still be taken back by it.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn find_holder(
    c: &mut AnyConnection,
    email: &Email,
    now: Timestamp,
) -> Result<Option<User>> {
    if let Some(user) = store::find_by_email(c, email)? {
        return Ok(Some(user));
    }
    match store::find_reserving(c, email, None, now)? {
        Some(former) => store::get(c, former.user_id).map(Some),
        None => Ok(None),
    }
}

/// Finds the account other than that of `user` which holds `email`, as [`find_holder`].
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn find_other_holder(
    c: &mut AnyConnection,
    email: &Email,
    user: UserId,
    now: Timestamp,
) -> Result<Option<User>> {
    let holder = store::find_by_email(c, email)?.filter(|holder| holder.id != user);
    if holder.is_some() {
        return Ok(holder);
    }
    match store::find_reserving(c, email, Some(user), now)? {
        Some(former) => store::get(c, former.user_id).map(Some),
        None => Ok(None),
    }
}
