//! The queries of `user_sessions` that count the sessions of several people.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;

/// Counts the live sessions of each of these people who has any.
pub(crate) fn count_live_by_person(
    c: &mut AnyConnection,
    ids: &[UserId],
    now: Timestamp,
) -> Result<Vec<(UserId, i64)>> {
    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq_any(ids))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .group_by(user_sessions::user_id)
        .select((user_sessions::user_id, diesel::dsl::count_star()))
        .load(c)?)
}
