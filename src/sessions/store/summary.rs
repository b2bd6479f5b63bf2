//! The queries of `user_sessions` that summarize the sessions of one person. Each reads a bounded
//! number of rows, through an index on the person.

use diesel::dsl::not;
use diesel::prelude::*;

use super::model::Session;
use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;

/// Lists the device id, the sign-in and the expiry of a person's sessions that are not marked as
/// ended, at most `limit`.
pub(crate) fn list_active_sign_ins(
    c: &mut AnyConnection,
    user: UserId,
    limit: i64,
) -> Result<Vec<(Option<String>, Timestamp, Timestamp)>> {
    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .order((
            user_sessions::last_used_bucket.desc(),
            user_sessions::id.desc(),
        ))
        .limit(limit)
        .select((
            user_sessions::device_id,
            user_sessions::created_at,
            user_sessions::expires_at,
        ))
        .load(c)?)
}

/// Lists the sign-ins of those of a person's sessions that ended last, at most `limit`.
pub(crate) fn list_ended_sign_ins(
    c: &mut AnyConnection,
    user: UserId,
    limit: i64,
) -> Result<Vec<Timestamp>> {
    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()))
        .limit(limit)
        .select(user_sessions::created_at)
        .load(c)?)
}

/// Lists a person's live sessions, newest use first, at most `limit`.
pub(crate) fn list_newest_live(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Session>> {
    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((
            user_sessions::last_used_bucket.desc(),
            user_sessions::id.desc(),
        ))
        .limit(limit)
        .select(Session::as_select())
        .load(c)?)
}
