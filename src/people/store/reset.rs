//! Every query of `password_resets` and `reset_requests`: the links that set a new password, and
//! the requests for them.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::former::FormerState;
use super::lower;
use crate::clock::Timestamp;
use crate::db::schema::{former_emails, mail_queue, password_resets, reset_requests, users};
use crate::db::{AnyConnection, ResetId, UserId, on_each};
use crate::error::Result;
use crate::mail::store::MessageState;
use crate::people::values::Email;

/// A link that sets a new password, once.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = password_resets)]
pub(crate) struct PasswordReset {
    pub(crate) id: ResetId,
    pub(crate) user_id: UserId,
    /// The mailbox that it was sent to; `None` where an administrator hands it over.
    pub(crate) email: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Whether it sets the first password of an account that an administrator made.
    pub(crate) is_invitation: bool,
    /// The administrator who made it, if one did. It is void once they are none any more.
    pub(crate) by_user_id: Option<UserId>,
}

/// Inserts a link.
pub(crate) fn insert_reset(c: &mut AnyConnection, reset: &PasswordReset) -> Result<()> {
    let row = (
        password_resets::id.eq(reset.id),
        password_resets::user_id.eq(reset.user_id),
        password_resets::email.eq(&reset.email),
        password_resets::created_at.eq(reset.created_at),
        password_resets::expires_at.eq(reset.expires_at),
        password_resets::is_invitation.eq(reset.is_invitation),
        password_resets::by_user_id.eq(reset.by_user_id),
    );
    diesel::insert_into(password_resets::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Finds the link with that id, unless it has expired.
pub(crate) fn find_reset(
    c: &mut AnyConnection,
    id: ResetId,
    now: Timestamp,
) -> Result<Option<PasswordReset>> {
    Ok(password_resets::table
        .find(id)
        .filter(password_resets::expires_at.gt(now))
        .select(PasswordReset::as_select())
        .get_result(c)
        .optional()?)
}

/// Finds a link of a person that was sent to `email` and has not expired.
pub(crate) fn find_live_reset(
    c: &mut AnyConnection,
    user: UserId,
    email: &str,
    now: Timestamp,
) -> Result<Option<PasswordReset>> {
    Ok(password_resets::table
        .filter(password_resets::user_id.eq(user))
        .filter(password_resets::email.eq(email))
        .filter(password_resets::expires_at.gt(now))
        .select(PasswordReset::as_select())
        .first(c)
        .optional()?)
}

/// Deletes every link of a person.
pub(crate) fn delete_resets(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let own = password_resets::table.filter(password_resets::user_id.eq(user));
    Ok(diesel::delete(own).execute(c)?)
}

/// Deletes every link that an administrator made, for whomever.
pub(crate) fn delete_resets_by(c: &mut AnyConnection, by: UserId) -> Result<usize> {
    let made = password_resets::table.filter(password_resets::by_user_id.eq(by));
    Ok(diesel::delete(made).execute(c)?)
}

/// Deletes the links whose message was sent. Those in messages that wait are signed when they are
/// sent.
pub(crate) fn delete_sent_resets(c: &mut AnyConnection) -> Result<usize> {
    let waiting = mail_queue::table
        .filter(mail_queue::subject_id.eq(password_resets::id.nullable()))
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()));
    let sent = password_resets::table
        .filter(password_resets::email.is_not_null())
        .filter(not(exists(waiting)));
    Ok(diesel::delete(sent).execute(c)?)
}

/// Deletes links that have expired by `before`, at most `limit`. Returns how many.
pub(crate) fn purge_resets(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<ResetId> = password_resets::table
        .filter(password_resets::expires_at.le(before))
        .order(password_resets::expires_at)
        .limit(limit)
        .select(password_resets::id)
        .load(c)?;
    let old = password_resets::table.filter(password_resets::id.eq_any(old));
    Ok(diesel::delete(old).execute(c)?)
}

/// Inserts a request for a link, unless one for the same address waits.
pub(crate) fn insert_reset_request(
    c: &mut AnyConnection,
    email: &Email,
    now: Timestamp,
) -> Result<()> {
    let row = (
        reset_requests::email.eq(email.as_str()),
        reset_requests::created_at.eq(now),
    );
    on_each!(c, c => diesel::insert_into(reset_requests::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Counts the requests that wait.
pub(crate) fn count_reset_requests(c: &mut AnyConnection) -> Result<i64> {
    Ok(reset_requests::table.count().get_result(c)?)
}

/// Lists the addresses of the requests that have waited longest, at most `limit`.
pub(crate) fn list_reset_requests(c: &mut AnyConnection, limit: i64) -> Result<Vec<String>> {
    Ok(reset_requests::table
        .order(reset_requests::created_at)
        .limit(limit)
        .select(reset_requests::email)
        .load(c)?)
}

/// Deletes the requests whose address neither is nor was lately that of an account, at most
/// `limit`. Returns how many.
pub(crate) fn delete_unknown_requests(c: &mut AnyConnection, limit: i64) -> Result<usize> {
    let own = users::table.filter(lower(users::email).eq(reset_requests::email));
    let former = former_emails::table
        .filter(lower(former_emails::email).eq(reset_requests::email))
        .filter(former_emails::state.eq(FormerState::Open.as_str()));
    let unknown: Vec<String> = reset_requests::table
        .filter(not(exists(own)))
        .filter(not(exists(former)))
        .limit(limit)
        .select(reset_requests::email)
        .load(c)?;
    let unknown = reset_requests::table.filter(reset_requests::email.eq_any(unknown));
    Ok(diesel::delete(unknown).execute(c)?)
}

/// Deletes a request. Returns how many rows were deleted: 0 when another node answers it.
pub(crate) fn delete_reset_request(c: &mut AnyConnection, email: &str) -> Result<usize> {
    Ok(diesel::delete(reset_requests::table.find(email)).execute(c)?)
}
