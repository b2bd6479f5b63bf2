//! The queries of `user_sessions` that only bulk jobs need.

use diesel::prelude::*;

use super::model::Session;
use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::people::User;

/// Returns the latest sign-in of a session that is not marked as ended, if there is one.
pub(in crate::sessions) fn find_latest_sign_in(c: &mut AnyConnection) -> Result<Option<Timestamp>> {
    Ok(user_sessions::table
        .filter(user_sessions::is_active)
        .order((user_sessions::created_at.desc(), user_sessions::id.desc()))
        .select(user_sessions::created_at)
        .first(c)
        .optional()?)
}

/// Lists the sessions that are not marked as ended and were signed in after `at`, by a clock that is
/// ahead, at most `limit`.
pub(in crate::sessions) fn list_live_signed_in_after(
    c: &mut AnyConnection,
    at: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>> {
    Ok(user_sessions::table
        .filter(user_sessions::is_active)
        .filter(user_sessions::created_at.gt(at))
        .order((user_sessions::created_at.desc(), user_sessions::id.desc()))
        .limit(limit)
        .select(user_sessions::id)
        .load(c)?)
}

/// Lists those of `ids` that were signed in after `at`.
pub(in crate::sessions) fn list_signed_in_after(
    c: &mut AnyConnection,
    ids: &[SessionId],
    at: Timestamp,
) -> Result<Vec<SessionId>> {
    Ok(user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .filter(user_sessions::created_at.gt(at))
        .select(user_sessions::id)
        .load(c)?)
}

/// Lists those of `ids` that exist, each with its owner and whether it is live, in the order of the
/// ids.
pub(in crate::sessions) fn list_owners(
    c: &mut AnyConnection,
    ids: &[SessionId],
    now: Timestamp,
) -> Result<Vec<(SessionId, UserId, bool)>> {
    let found: Vec<(SessionId, UserId, bool, Timestamp)> = user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .order(user_sessions::id)
        .select((
            user_sessions::id,
            user_sessions::user_id,
            user_sessions::is_active,
            user_sessions::expires_at,
        ))
        .load(c)?;
    Ok(found
        .into_iter()
        .map(|(id, owner, is_active, expires_at)| (id, owner, is_active && expires_at > now))
        .collect())
}

/// Lists those of `ids` that exist with their owners, newest use first.
pub(in crate::sessions) fn list_with_owners(
    c: &mut AnyConnection,
    ids: &[SessionId],
) -> Result<Vec<(Session, User)>> {
    Ok(user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::id.eq_any(ids))
        .order((
            user_sessions::last_used_bucket.desc(),
            user_sessions::id.desc(),
        ))
        .select((Session::as_select(), User::as_select()))
        .load(c)?)
}
