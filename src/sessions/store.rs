//! Every query of `user_sessions`. A statement that writes includes its own conditions; the
//! frequent ones filter by person and session.

mod applications;
mod bulk_jobs;
mod bulk_progress;
mod bulk_sessions;
mod ending;
mod figures;
mod model;
pub(super) mod per_person;
mod recent;
mod rotation;
pub(super) mod search;
mod session_keys;
mod shared_addresses;
mod summary;
mod usage;

use diesel::dsl::not;
use diesel::prelude::*;

pub(super) use self::applications::{
    ApplicationRow, delete_earliest, list_applications, list_with_more, share_existing,
    upsert_applications,
};
pub use self::bulk_jobs::BulkJob;
pub(super) use self::bulk_jobs::{
    NewBulkJob, count_jobs, delete_jobs, find_job, find_ordered, insert_job, list_jobs,
    list_jobs_finished_before, list_running_jobs, lock_running_job,
};
pub(crate) use self::bulk_jobs::{list_job_addresses, update_job_address};
pub(crate) use self::bulk_progress::lock_running_jobs_of;
pub(super) use self::bulk_progress::{
    Progress, fail_job, lock_job, lock_running_jobs_of_key, stop_job, stop_jobs_of,
    stop_jobs_of_key, update_error, update_progress,
};
pub(super) use self::bulk_sessions::{
    find_latest_sign_in, list_live_signed_in_after, list_owners, list_signed_in_after,
    list_with_owners,
};
pub(crate) use self::ending::{
    SessionEnd, end, end_all, end_in_browser, end_listed, end_on_device, end_others, end_several,
    expire, list_due, list_ended_before, list_expired_by_person, purge, update_sweep_time,
};
pub(crate) use self::figures::{
    count_by_dimension, count_by_hour, list_latest_sign_ins, list_owners_after,
};
pub(super) use self::model::NewSessionRow;
pub use self::model::{LastUse, Session};
pub(crate) use self::recent::{
    any_exists, find_first_on_device, list_addresses, list_by_ids, list_compared, list_ended_at,
    list_live_at, list_own_by_ids, list_recent, list_unended, list_unended_ids,
    list_without_ip_key, update_address, update_application, update_ip_key,
};
pub(super) use self::rotation::{
    NewToken, RotationInput, clear_rotations, list_rotated_before, mark_token_used, replace_token,
    rotate_jti,
};
pub(super) use self::session_keys::{
    LiveWithKey, NewSessionKey, SessionKey, find_key, find_live_with_key, insert_key, mark_alerted,
    mark_key_seen, mark_noted, record_proof, replace_unseen_key, update_bound_at,
};
pub(super) use self::shared_addresses::list_newest_addresses;
pub(crate) use self::summary::{list_active_sign_ins, list_ended_sign_ins, list_newest_live};
pub(super) use self::usage::{
    mark_impossible_travel, update_idle_limit, update_last_use, update_location,
};
use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, SessionId, UserId, cached, first_rows, on_each};
use crate::devices::DeviceName;
use crate::error::{Error, Result};
use crate::people::User;

/// Inserts a session.
pub(super) fn insert(c: &mut AnyConnection, session: &NewSessionRow<'_>) -> Result<Session> {
    let created = on_each!(c, c => diesel::insert_into(user_sessions::table)
        .values(session)
        .returning(Session::as_returning())
        .get_result(c))?;
    Ok(created)
}

/// Finds a live session and its active owner.
pub(crate) fn find_live(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<(Session, User)>> {
    let live = user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .filter(users::is_active.eq(true));
    let found = on_each!(c, c => live
        .select((Session::as_select(), User::as_select()))
        .get_result(c)
        .optional())?;
    Ok(found)
}

/// Finds a session of a person, live or ended.
pub(crate) fn find(c: &mut AnyConnection, user: UserId, id: SessionId) -> Result<Option<Session>> {
    let found = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .select(Session::as_select())
        .get_result(c)
        .optional()?;
    Ok(found)
}

/// Finds the owner of a session.
pub(super) fn find_owner(c: &mut AnyConnection, id: SessionId) -> Result<Option<UserId>> {
    Ok(user_sessions::table
        .find(id)
        .select(user_sessions::user_id)
        .get_result(c)
        .optional()?)
}

/// Lists a person's live sessions, newest use first.
pub(crate) fn list_live(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<Session>> {
    let found = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((user_sessions::last_used_at.desc(), user_sessions::id.desc()))
        .select(Session::as_select())
        .load(c)?;
    Ok(found)
}

/// Lists a person's ended sessions that follow `after`, newest end first, at most `limit`.
/// More rows may be read: limits of few sizes have few texts.
pub(super) fn list_ended(
    c: &mut AnyConnection,
    user: UserId,
    after: Option<(Timestamp, SessionId)>,
    limit: u32,
) -> Result<Vec<Session>> {
    let mut ended = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()))
        .select(Session::as_select())
        .into_boxed();
    if let Some((at, id)) = after {
        let earlier = user_sessions::ended_at.lt(at);
        let same_time = user_sessions::ended_at.eq(at).and(user_sessions::id.lt(id));
        ended = ended.filter(earlier.or(same_time));
    }
    let read = limit.checked_next_power_of_two().unwrap_or(limit);
    let mut found: Vec<Session> = first_rows(ended, read).load(c)?;
    found.truncate(limit as usize);
    Ok(found)
}

/// Locks the row of a session until the transaction ends. On SQLite a transaction that writes has
/// the whole file.
pub(super) fn lock(c: &mut AnyConnection, user: UserId, id: SessionId) -> Result<()> {
    let row = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .select(user_sessions::id);
    if let AnyConnection::Postgres(c) = c {
        row.for_update().load::<SessionId>(c)?;
    }
    Ok(())
}

/// Verifies, as a part of a transaction, that a session is live, which it stays until the transaction ends. All
/// live sessions of the person are locked, as others of them may be ended next.
///
/// # Errors
/// [`Error::Unauthenticated`] when it has ended.
pub(crate) fn lock_one_live(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<()> {
    lock_live(c, user)?;
    find_live(c, user, id, now)?.ok_or(Error::Unauthenticated)?;
    Ok(())
}

/// Locks a person's live sessions until the transaction ends, in the order of their ids: requests
/// that each change several of them wait for one another, and never both for the other.
pub(crate) fn lock_live(c: &mut AnyConnection, user: UserId) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        user_sessions::table
            .filter(user_sessions::user_id.eq(user))
            .filter(user_sessions::is_active)
            .order(user_sessions::id)
            .select(user_sessions::id)
            .for_no_key_update()
            .load::<SessionId>(c)?;
    }
    Ok(())
}

/// Locks a person's live sessions and another one, which may be somebody else's, until the transaction ends, in
/// the order of their ids.
pub(super) fn lock_live_and(c: &mut AnyConnection, user: UserId, other: SessionId) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        let is_own = user_sessions::user_id
            .eq(user)
            .and(user_sessions::is_active);
        user_sessions::table
            .filter(is_own.or(user_sessions::id.eq(other)))
            .order(user_sessions::id)
            .select(user_sessions::id)
            .for_no_key_update()
            .load::<SessionId>(c)?;
    }
    Ok(())
}

/// Locks sessions of anybody until the transaction ends, in the order of their ids.
pub(super) fn lock_listed(c: &mut AnyConnection, ids: &[SessionId]) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        user_sessions::table
            .filter(user_sessions::id.eq_any(ids))
            .order(user_sessions::id)
            .select(user_sessions::id)
            .for_no_key_update()
            .load::<SessionId>(c)?;
    }
    Ok(())
}

/// Locks all sessions of these people until the transaction ends, ended ones included, in the order of
/// their ids. Whoever ends sessions refers to their owners afterwards: what changes the key of a
/// person, or deletes one, takes this lock before, and that on the person first.
pub(crate) fn lock_of_people(c: &mut AnyConnection, users: &[UserId]) -> Result<()> {
    if let AnyConnection::Sqlite(_) = c {
        return Ok(());
    }
    let sessions = || {
        user_sessions::table
            .filter(user_sessions::user_id.eq_any(users))
            .select(user_sessions::id)
    };
    // In two statements, each with its index. One that ends in between is in the second.
    let mut ids: Vec<SessionId> = sessions().filter(user_sessions::is_active).load(c)?;
    let ended: Vec<SessionId> = sessions().filter(not(user_sessions::is_active)).load(c)?;
    ids.extend(ended);
    lock_listed(c, &ids)
}

/// Records that the owner of a live session has just given their password in it.
pub(super) fn record_password(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<Session>> {
    use user_sessions::dsl;

    let live = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id))
        .filter(dsl::is_active)
        .filter(dsl::expires_at.gt(now));
    let changes = (dsl::confirmed_at.eq(now), dsl::updated_at.eq(now));
    let updated = on_each!(c, c => cached(diesel::update(live).set(changes).returning(Session::as_returning()))
        .get_result(c)
        .optional())?;
    Ok(updated)
}

/// Lists a person's live sessions except the `max` used last, which always include `created`.
pub(super) fn list_beyond_limit(
    c: &mut AnyConnection,
    user: UserId,
    created: SessionId,
    max: u32,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let mut others: Vec<SessionId> = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(created))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((user_sessions::last_used_at.desc(), user_sessions::id.desc()))
        .select(user_sessions::id)
        .load(c)?;
    let allowed = (max as usize).saturating_sub(1).min(others.len());
    Ok(others.split_off(allowed))
}

/// Updates the device name of a session, live or ended.
pub(super) fn update_name(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    name: &DeviceName,
    now: Timestamp,
) -> Result<Option<Session>> {
    use user_sessions::dsl;

    let own = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id));
    let changes = (dsl::device_name.eq(name.as_str()), dsl::updated_at.eq(now));
    let renamed = on_each!(c, c => diesel::update(own)
        .set(changes)
        .returning(Session::as_returning())
        .get_result(c)
        .optional())?;
    Ok(renamed)
}

/// Updates the device name of every session on a device that is not marked as ended.
pub(super) fn update_names_on_device(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    name: &DeviceName,
    now: Timestamp,
) -> Result<usize> {
    use user_sessions::dsl;

    lock_live(c, user)?;
    let on_device = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::device_id.eq(device_id))
        .filter(dsl::is_active);
    let changes = (dsl::device_name.eq(name.as_str()), dsl::updated_at.eq(now));
    Ok(diesel::update(on_device).set(changes).execute(c)?)
}
