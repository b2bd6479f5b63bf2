//! Every query of `user_sessions`. Each is one statement, and what it needs to be true stands in
//! its own condition. The hot ones name the person and the session.

mod ending;
mod model;
mod seen;
mod using;

use diesel::dsl::not;
use diesel::prelude::*;

pub(super) use self::ending::{
    End, delete, due, due_of, end, end_all, end_device, end_others, end_same_browser, end_these,
    expire, may_sweep, past,
};
pub(super) use self::model::NewSession;
pub use self::model::Session;
pub(super) use self::seen::{addresses_of, seen_of, set_address};
pub(super) use self::using::{limit_idle, move_to, rotate_jti, touch};
use super::values::{DeviceName, Jti};
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, SessionId, Timestamp, UserId, on_each};
use crate::error::Result;
use crate::people::User;

pub(super) fn insert(c: &mut AnyConnection, session: &NewSession<'_>) -> Result<Session> {
    let opened = on_each!(c, c => diesel::insert_into(user_sessions::table)
        .values(session)
        .returning(Session::as_returning())
        .get_result(c))?;
    Ok(opened)
}

/// The session and its owner, if it is live and they are active: the question of every request.
pub(super) fn live(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<(Session, User)>> {
    let found = user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .filter(users::is_active.eq(true))
        .select((Session::as_select(), User::as_select()))
        .first(c)
        .optional()?;
    Ok(found)
}

pub(super) fn of_owner(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
) -> Result<Option<Session>> {
    let found = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .select(Session::as_select())
        .first(c)
        .optional()?;
    Ok(found)
}

pub(super) fn owner_of(c: &mut AnyConnection, id: SessionId) -> Result<Option<UserId>> {
    Ok(user_sessions::table
        .find(id)
        .select(user_sessions::user_id)
        .first(c)
        .optional()?)
}

/// A person's live sessions, newest use first.
pub(super) fn live_of(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let found = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((user_sessions::last_used_at.desc(), user_sessions::id.desc()))
        .select(Session::as_select())
        .load(c)?;
    Ok(found)
}

/// Everybody's live sessions with their owners, newest use first.
pub(super) fn live_of_all(
    c: &mut AnyConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Session, User)>> {
    let found = user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((user_sessions::last_used_at.desc(), user_sessions::id.desc()))
        .limit(limit)
        .select((Session::as_select(), User::as_select()))
        .load(c)?;
    Ok(found)
}

/// A person's ended sessions that come after `after`, newest end first.
pub(super) fn ended_of(
    c: &mut AnyConnection,
    user: UserId,
    after: Option<(Timestamp, SessionId)>,
    limit: i64,
) -> Result<Vec<Session>> {
    let mut ended = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()))
        .limit(limit)
        .select(Session::as_select())
        .into_boxed();
    if let Some((at, id)) = after {
        let earlier = user_sessions::ended_at.lt(at);
        let same_time = user_sessions::ended_at.eq(at).and(user_sessions::id.lt(id));
        ended = ended.filter(earlier.or(same_time));
    }
    Ok(ended.load(c)?)
}

/// Notes that the owner of a live session gave the password in it, and gives it a new JTI.
pub(super) fn confirm(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    new: &Jti,
    now: Timestamp,
) -> Result<Option<Session>> {
    use user_sessions::dsl;

    let live = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id))
        .filter(dsl::is_active)
        .filter(dsl::expires_at.gt(now));
    let changes = (
        dsl::refresh_token_jti.eq(new.as_str()),
        dsl::previous_jti.eq(dsl::refresh_token_jti.nullable()),
        dsl::rotated_at.eq(now),
        dsl::confirmed_at.eq(now),
        dsl::updated_at.eq(now),
    );
    let confirmed = on_each!(c, c => diesel::update(live)
        .set(changes)
        .returning(Session::as_returning())
        .get_result(c)
        .optional())?;
    Ok(confirmed)
}

/// A person's live sessions beyond the `most` used last; never the one just opened.
pub(super) fn beyond(
    c: &mut AnyConnection,
    user: UserId,
    opened: SessionId,
    most: u32,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let beyond = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(opened))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .order((user_sessions::last_used_at.desc(), user_sessions::id.desc()))
        // SQLite takes no OFFSET without a LIMIT.
        .limit(i64::from(u16::MAX))
        .offset(i64::from(most.saturating_sub(1)))
        .select(user_sessions::id)
        .load(c)?;
    Ok(beyond)
}

pub(super) fn rename(
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

/// Gives every session on a device a name.
pub(super) fn rename_device(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    name: &DeviceName,
    now: Timestamp,
) -> Result<usize> {
    use user_sessions::dsl;

    let on_it = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::device_id.eq(device_id))
        .filter(dsl::is_active);
    let changes = (dsl::device_name.eq(name.as_str()), dsl::updated_at.eq(now));
    Ok(diesel::update(on_it).set(changes).execute(c)?)
}
