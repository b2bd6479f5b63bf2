//! Every query of `users`, and of the tables of their addresses and links.

mod administration;
mod credentials;
mod external;
mod former;
mod reset;
pub(super) mod search;
mod used_link;
mod verification;

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::Text;

pub(crate) use self::administration::{
    list_with_admins, lock_with_admins, require_admin, update_role, update_state,
};
pub(super) use self::credentials::{mark_all_emails_verified, update_hash};
pub(crate) use self::credentials::{
    mark_email_declined, mark_email_verified, remove_email, reset_settings, update_email,
    update_password, void_password, void_password_links,
};
pub(crate) use self::external::{
    MAX_STATED_ALIKE, assign, count_by_application, count_of_application, count_of_application_to,
    find_earlier, get_application_of, list_by_stated_email, list_earlier_subjects, list_unclaimed,
};
pub(super) use self::external::{find_by_subject, is_in_realm};
pub(crate) use self::former::{
    FormerEmail, FormerState, close_all as close_former_emails, find_oldest_open_former,
    find_reserving, get_former, insert_former, list_open_former, purge_former, update_former_state,
};
pub(crate) use self::reset::{
    PasswordReset, count_reset_requests, delete_reset_request, delete_resets, delete_resets_by,
    delete_sent_resets, delete_unknown_requests, find_live_reset, find_reset, insert_reset,
    insert_reset_request, list_reset_requests, purge_resets,
};
pub use self::used_link::{LinkAct, UsedLink};
pub(crate) use self::used_link::{find_used_link, purge_used_links, record_used_link};
pub(crate) use self::verification::{
    EmailVerification, delete_all_changes, delete_verification, delete_verifications,
    delete_verifications_except, find_verification, find_verification_by_person,
    purge_verifications, replace_verification,
};
use super::values::{Email, FullName, IdleLimit};
use crate::clock::{TimeZone, Timestamp};
use crate::db::schema::users;
use crate::db::{AnyConnection, ApplicationId, UserId, cached, in_few_sizes, read_from_text};
use crate::error::{Error, Result};
use crate::net::IpRetention;

diesel::define_sql_function! {
    /// The database's `lower`, which the unique index on e-mails uses.
    fn lower(text: Text) -> Text;
}

/// A person with an account.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// The person's id.
    pub id: UserId,
    /// The e-mail to sign in with, in lower case.
    pub email: String,
    /// The name to call the person by.
    pub full_name: Option<String>,
    pub(super) password_hash: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether they are an administrator.
    pub is_admin: bool,
    pub(super) idle_limit_seconds: Option<i32>,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the account last changed.
    pub updated_at: Timestamp,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// How much of their IP addresses is stored.
    #[diesel(column_name = address_keeping)]
    pub ip_retention: IpRetention,
    /// Whether they get alerts about new sign-ins by e-mail.
    pub alert_emails: bool,
    /// The e-mail that an application states for a person whom it authenticates itself.
    pub stated_email: Option<String>,
    /// When the e-mail was verified, if it was.
    pub email_verified_at: Option<Timestamp>,
    /// Whether the e-mail was stored before addresses were verified.
    pub is_email_from_before: bool,
    /// When the reader of the mailbox said that the e-mail isn't theirs, if they did.
    pub email_declined_at: Option<Timestamp>,
    /// Links in messages that were queued before this time set no password.
    pub password_links_void_before: Option<Timestamp>,
    /// The identifier that an application has of a person whom it authenticates itself.
    pub external_subject: Option<String>,
    /// That application.
    pub application_id: Option<ApplicationId>,
    /// Whether they are an auditor.
    pub is_auditor: bool,
    pub(super) time_zone: Option<String>,
    pub(super) browser_time_zone: Option<String>,
}

read_from_text!(IpRetention);

/// An account to be created.
#[derive(Insertable)]
#[diesel(table_name = users)]
pub(super) struct NewUser<'a> {
    pub(super) id: UserId,
    pub(super) email: &'a str,
    pub(super) full_name: Option<&'a str>,
    pub(super) password_hash: &'a str,
    pub(super) external_subject: Option<&'a str>,
    pub(super) application_id: Option<ApplicationId>,
    pub(super) stated_email: Option<&'a str>,
    pub(super) email_verified_at: Option<Timestamp>,
    pub(super) is_admin: bool,
    pub(super) is_auditor: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) password_changed_at: Timestamp,
}

/// Inserts an account.
///
/// # Errors
/// [`Error::EmailTaken`] when another account has the e-mail.
pub(super) fn insert(c: &mut AnyConnection, user: &NewUser<'_>) -> Result<()> {
    let insert = diesel::insert_into(users::table).values(user);
    unique_email(insert.execute(c).map_err(Error::from)).map(drop)
}

/// Finds the person with that e-mail, ignoring case.
pub(crate) fn find_by_email(c: &mut AnyConnection, email: &Email) -> Result<Option<User>> {
    let found = users::table
        .filter(lower(users::email).eq(email.as_str()))
        .select(User::as_select())
        .get_result(c)
        .optional()?;
    Ok(found)
}

/// Returns the person with that id.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) fn get(c: &mut AnyConnection, id: UserId) -> Result<User> {
    Ok(users::table
        .find(id)
        .select(User::as_select())
        .get_result(c)?)
}

/// Verifies that a person is active and has the password that `user` was read with, and that this
/// stays so until the transaction ends, as does nobody else who calls this for the person: PostgreSQL
/// locks the row, and SQLite has only one writer.
///
/// # Errors
/// [`Error::InvalidCredentials`] when the person is inactive or the password was changed.
pub(crate) fn lock_active_user(c: &mut AnyConnection, user: &User) -> Result<()> {
    let unchanged = users::table
        .find(user.id)
        .filter(users::is_active.eq(true))
        .filter(users::password_changed_at.eq(user.password_changed_at))
        .select(users::id);
    let found: Option<UserId> = match c {
        AnyConnection::Postgres(c) => unchanged.for_no_key_update().get_result(c).optional()?,
        AnyConnection::Sqlite(c) => unchanged.get_result(c).optional()?,
    };
    found.map(drop).ok_or(Error::InvalidCredentials)
}

/// Counts the administrators.
pub(super) fn count_admins(c: &mut AnyConnection) -> Result<i64> {
    Ok(users::table
        .filter(users::is_admin.eq(true))
        .count()
        .get_result(c)?)
}

/// Updates the name to call a person by.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, as for every update below.
pub(crate) fn update_full_name(
    c: &mut AnyConnection,
    id: UserId,
    name: Option<&FullName>,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::full_name.eq(name.map(FullName::as_str)),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Returns the person with that id, and keeps others from changing their row until the transaction
/// ends: PostgreSQL locks it, though not against rows that refer to it, and SQLite has only one
/// writer. What changes an account locks its person first, so that no two such transactions
/// deadlock.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) fn lock(c: &mut AnyConnection, id: UserId) -> Result<User> {
    let user = users::table.find(id);
    Ok(match c {
        AnyConnection::Postgres(c) => user
            .select(User::as_select())
            .for_no_key_update()
            .get_result(c)?,
        AnyConnection::Sqlite(c) => user.select(User::as_select()).get_result(c)?,
    })
}

/// Locks people as [`lock`] does, in the order of their ids; those that don't exist are left out.
pub(crate) fn lock_several(c: &mut AnyConnection, ids: &[UserId]) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        users::table
            .filter(users::id.eq_any(ids))
            .order(users::id)
            .select(users::id)
            .for_no_key_update()
            .load::<UserId>(c)?;
    }
    Ok(())
}

/// Updates the idle limit that a person chose for their own sessions.
pub(crate) fn update_idle_limit(
    c: &mut AnyConnection,
    id: UserId,
    limit: Option<IdleLimit>,
    now: Timestamp,
) -> Result<()> {
    let seconds = limit.and_then(|limit| i32::try_from(limit.span().as_secs()).ok());
    let changes = (
        users::idle_limit_seconds.eq(seconds),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Lists these people; those that don't exist are left out.
pub(crate) fn list_by_ids(c: &mut AnyConnection, ids: &[UserId]) -> Result<Vec<User>> {
    Ok(users::table
        .filter(users::id.eq_any(ids))
        .select(User::as_select())
        .load(c)?)
}

/// Returns the IP retention of each of these people; those that don't exist are left out.
pub(crate) fn list_ip_retention(
    c: &mut AnyConnection,
    ids: &[UserId],
) -> Result<HashMap<UserId, IpRetention>> {
    let listed = users::table
        .filter(users::id.eq_any(in_few_sizes(ids)))
        .select((users::id, users::address_keeping));
    let found: Vec<(UserId, IpRetention)> = cached(listed).load(c)?;
    Ok(found.into_iter().collect())
}

/// Lists the IP retention of these people, who neither change it nor are deleted until the transaction
/// ends; those whom another transaction has locked are left out.
pub(crate) fn share_ip_retention(
    c: &mut AnyConnection,
    ids: &[UserId],
) -> Result<HashMap<UserId, IpRetention>> {
    let listed = users::table
        .filter(users::id.eq_any(ids))
        .order(users::id)
        .select((users::id, users::address_keeping));
    let found: Vec<(UserId, IpRetention)> = match c {
        AnyConnection::Postgres(c) => listed.for_share().skip_locked().load(c)?,
        AnyConnection::Sqlite(c) => listed.load(c)?,
    };
    Ok(found.into_iter().collect())
}

/// Lists those of these people who exist.
pub(crate) fn list_existing(c: &mut AnyConnection, ids: &[UserId]) -> Result<HashSet<UserId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let listed = users::table.filter(users::id.eq_any(ids)).select(users::id);
    Ok(listed.load(c)?.into_iter().collect())
}

/// Updates the IP retention of a person.
pub(crate) fn update_ip_retention(
    c: &mut AnyConnection,
    id: UserId,
    retention: IpRetention,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::address_keeping.eq(retention.as_str()),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Updates whether a person gets alerts about new sign-ins by e-mail.
pub(crate) fn update_alert_emails(
    c: &mut AnyConnection,
    id: UserId,
    enabled: bool,
    now: Timestamp,
) -> Result<()> {
    let changes = (users::alert_emails.eq(enabled), users::updated_at.eq(now));
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Updates the zone that a person chose to read times in.
pub(crate) fn update_time_zone(
    c: &mut AnyConnection,
    id: UserId,
    zone: Option<TimeZone>,
    now: Timestamp,
) -> Result<()> {
    let changes = (
        users::time_zone.eq(zone.map(TimeZone::name)),
        users::updated_at.eq(now),
    );
    existing(
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(c)?,
    )
}

/// Updates the zone of the browser that a person signs in with. That changes nothing of what the account
/// is, so not when it last changed either.
pub(crate) fn update_browser_time_zone(
    c: &mut AnyConnection,
    id: UserId,
    zone: TimeZone,
) -> Result<()> {
    existing(
        diesel::update(users::table.find(id))
            .set(users::browser_time_zone.eq(zone.name()))
            .execute(c)?,
    )
}

/// Deletes a person and, by cascade, their sessions, devices, events, alerts and queued messages.
pub(crate) fn delete(c: &mut AnyConnection, id: UserId) -> Result<()> {
    existing(diesel::delete(users::table.find(id)).execute(c)?)
}

/// Returns [`Error::NotFound`] when an update changed no row.
fn existing(rows: usize) -> Result<()> {
    match rows {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Turns a conflict into [`Error::EmailTaken`]: the only other unique column is the subject, by
/// which a person is looked up before being created.
fn unique_email(result: Result<usize>) -> Result<usize> {
    match result {
        Err(Error::Conflict(_)) => Err(Error::EmailTaken),
        result => result,
    }
}
