//! The queries of `user_sessions` that end sessions, list expired and ended ones, and purge them.

use diesel::dsl::not;
use diesel::prelude::*;

use super::model::Session;
use super::{lock_listed, lock_live};
use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, SessionId, UserId, cached, in_few_sizes, on_each};
use crate::error::Result;
use crate::events::Origin;
use crate::sessions::values::{EndedReason, OpenedVia};

/// How a session ends: why, from which session, and when.
#[derive(Clone, Copy)]
pub(crate) struct SessionEnd {
    pub(crate) reason: EndedReason,
    pub(crate) by: Option<SessionId>,
    pub(crate) at: Timestamp,
}

impl SessionEnd {
    /// Returns an end from the session in `origin`, if there is one.
    pub(crate) fn by(origin: &Origin, reason: EndedReason, at: Timestamp) -> Self {
        Self {
            reason,
            by: origin.session,
            at,
        }
    }
}

/// Ends the sessions in `$which` and returns the updated rows.
macro_rules! end_where {
    ($c:expr, $which:expr, $end:expr) => {{
        use user_sessions::dsl;

        let end: SessionEnd = $end;
        let changes = (
            dsl::is_active.eq(false),
            dsl::ended_at.eq(end.at),
            dsl::ended_reason.eq(end.reason.as_str()),
            dsl::ended_by.eq(end.by),
            dsl::updated_at.eq(end.at),
        );
        on_each!($c, c => cached(diesel::update($which).set(changes).returning(Session::as_returning())).get_results(c))
    }};
}

/// Ends one live session. Who ends others of the person next locks all of them before.
pub(crate) fn end(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    end: SessionEnd,
) -> Result<Option<Session>> {
    let live = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    let ended: Vec<Session> = end_where!(c, live, end)?;
    Ok(ended.into_iter().next())
}

/// Ends those of `ids` that are a person's live sessions.
pub(crate) fn end_several(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[SessionId],
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_live(c, user)?;
    let several = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq_any(in_few_sizes(ids)))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, several, end)?)
}

/// Ends all of a person's live sessions except one.
pub(crate) fn end_others(
    c: &mut AnyConnection,
    user: UserId,
    except: SessionId,
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_live(c, user)?;
    let others = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(except))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, others, end)?)
}

/// Ends all of a person's live sessions.
pub(crate) fn end_all(
    c: &mut AnyConnection,
    user: UserId,
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_live(c, user)?;
    let all = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, all, end)?)
}

/// Ends a person's live sessions on a device, except one.
pub(crate) fn end_on_device(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    except: Option<SessionId>,
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_live(c, user)?;
    let on_device = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::device_id.eq(device_id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    let ended = match except {
        Some(except) => end_where!(c, on_device.filter(user_sessions::id.ne(except)), end)?,
        None => end_where!(c, on_device, end)?,
    };
    Ok(ended)
}

/// Ends a person's live sessions in one browser, except the new one.
pub(crate) fn end_in_browser(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    except: SessionId,
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_live(c, user)?;
    let same = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(except))
        .filter(user_sessions::device_id.eq(device_id))
        .filter(user_sessions::opened_via.eq(OpenedVia::Browser.as_str()))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, same, end)?)
}

/// Ends those of `ids`, of anybody's sessions, that are live.
pub(crate) fn end_listed(
    c: &mut AnyConnection,
    ids: &[SessionId],
    end: SessionEnd,
) -> Result<Vec<Session>> {
    lock_listed(c, ids)?;
    let listed = user_sessions::table
        .filter(user_sessions::id.eq_any(in_few_sizes(ids)))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, listed, end)?)
}

/// Marks those of `ids` that have expired as ended. One whose expiry a use extended meanwhile is
/// not marked.
pub(crate) fn expire(
    c: &mut AnyConnection,
    ids: &[SessionId],
    now: Timestamp,
) -> Result<Vec<Session>> {
    use user_sessions::dsl;

    lock_listed(c, ids)?;
    let due = dsl::user_sessions
        .filter(dsl::id.eq_any(ids))
        .filter(dsl::is_active)
        .filter(dsl::expires_at.le(now));
    let changes = (
        dsl::is_active.eq(false),
        dsl::ended_at.eq(dsl::expires_at.nullable()),
        dsl::ended_reason.eq(EndedReason::Expired.as_str()),
        dsl::updated_at.eq(now),
    );
    let expired = on_each!(c, c => diesel::update(due).set(changes).returning(Session::as_returning()).get_results(c))?;
    Ok(expired)
}

/// Lists sessions that are not marked as ended and may have expired, at most `limit`.
pub(crate) fn list_due(
    c: &mut AnyConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>> {
    let due = user_sessions::table
        .filter(user_sessions::is_active)
        .filter(user_sessions::sweep_at.le(now))
        .order(user_sessions::sweep_at)
        .limit(limit)
        .select(user_sessions::id)
        .load(c)?;
    Ok(due)
}

/// Updates the time before which those of `ids` can't have expired, if they have not expired yet.
/// Returns how many rows changed.
pub(crate) fn update_sweep_time(
    c: &mut AnyConnection,
    ids: &[SessionId],
    now: Timestamp,
) -> Result<usize> {
    let live = user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now));
    Ok(diesel::update(live)
        .set(user_sessions::sweep_at.eq(user_sessions::expires_at))
        .execute(c)?)
}

/// Lists a person's expired sessions that are not marked as ended yet.
pub(crate) fn list_expired_by_person(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let due = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.le(now))
        .select(user_sessions::id)
        .load(c)?;
    Ok(due)
}

/// Lists sessions that ended before `before`, earliest end first, at most `limit`.
pub(crate) fn list_ended_before(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>> {
    let past = user_sessions::table
        .filter(not(user_sessions::is_active))
        .filter(user_sessions::ended_at.lt(before))
        .order(user_sessions::ended_at)
        .limit(limit)
        .select(user_sessions::id)
        .load(c)?;
    Ok(past)
}

/// Deletes those of `ids` that are marked as ended. Their events stay.
pub(crate) fn purge(c: &mut AnyConnection, ids: &[SessionId]) -> Result<usize> {
    lock_listed(c, ids)?;
    let ended = user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .filter(not(user_sessions::is_active));
    Ok(diesel::delete(ended).execute(c)?)
}
