//! The queries of `user_sessions` that end sessions, find those to be ended, and delete them.

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Session;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, SessionId, Timestamp, UserId, on_each};
use crate::error::Result;
use crate::sessions::values::{EndedReason, OpenedVia};

diesel::define_sql_function! {
    /// PostgreSQL's lock that is free again when the transaction ends.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// Why a session ends, from which one, and when.
#[derive(Clone, Copy)]
pub(in crate::sessions) struct End {
    pub(in crate::sessions) reason: EndedReason,
    pub(in crate::sessions) by: Option<SessionId>,
    pub(in crate::sessions) at: Timestamp,
}

/// Ends the sessions of `$which` and answers with them as they are then.
macro_rules! end_where {
    ($c:expr, $which:expr, $end:expr) => {{
        use user_sessions::dsl;

        let end: End = $end;
        let changes = (
            dsl::is_active.eq(false),
            dsl::ended_at.eq(end.at),
            dsl::ended_reason.eq(end.reason.as_str()),
            dsl::ended_by.eq(end.by),
            dsl::updated_at.eq(end.at),
        );
        on_each!($c, c => diesel::update($which).set(changes).returning(Session::as_returning()).get_results(c))
    }};
}

/// Ends one live session.
pub(in crate::sessions) fn end(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    end: End,
) -> Result<Option<Session>> {
    let live = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    let ended: Vec<Session> = end_where!(c, live, end)?;
    Ok(ended.into_iter().next())
}

/// Ends several of a person's live sessions.
pub(in crate::sessions) fn end_these(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[SessionId],
    end: End,
) -> Result<Vec<Session>> {
    let these = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq_any(ids))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, these, end)?)
}

/// Ends all of a person's live sessions but one.
pub(in crate::sessions) fn end_others(
    c: &mut AnyConnection,
    user: UserId,
    keep: SessionId,
    end: End,
) -> Result<Vec<Session>> {
    let others = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(keep))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, others, end)?)
}

/// Ends all of a person's live sessions.
pub(in crate::sessions) fn end_all(
    c: &mut AnyConnection,
    user: UserId,
    end: End,
) -> Result<Vec<Session>> {
    let all = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, all, end)?)
}

/// Ends the live sessions on a device of a person's, but the one it is done from.
pub(in crate::sessions) fn end_device(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    but: Option<SessionId>,
    end: End,
) -> Result<Vec<Session>> {
    let on_it = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::device_id.eq(device_id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    let ended = match but {
        Some(but) => end_where!(c, on_it.filter(user_sessions::id.ne(but)), end)?,
        None => end_where!(c, on_it, end)?,
    };
    Ok(ended)
}

/// Ends the live sessions that a person has from the same browser, but the new one.
pub(in crate::sessions) fn end_same_browser(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    keep: SessionId,
    end: End,
) -> Result<Vec<Session>> {
    let same = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(keep))
        .filter(user_sessions::device_id.eq(device_id))
        .filter(user_sessions::opened_via.eq(OpenedVia::Browser.as_str()))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(end.at));
    Ok(end_where!(c, same, end)?)
}

/// Marks those of `ids` that are past their time. A use written meanwhile keeps one alive.
pub(in crate::sessions) fn expire(
    c: &mut AnyConnection,
    ids: &[SessionId],
    now: Timestamp,
) -> Result<Vec<Session>> {
    use user_sessions::dsl;

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

/// Sessions past their time and not yet marked, longest past first.
pub(in crate::sessions) fn due(
    c: &mut AnyConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>> {
    let due = user_sessions::table
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.le(now))
        .order(user_sessions::expires_at)
        .limit(limit)
        .select(user_sessions::id)
        .load(c)?;
    Ok(due)
}

/// A person's sessions past their time and not yet marked.
pub(in crate::sessions) fn due_of(
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

/// Ended sessions from before `before`, oldest first.
pub(in crate::sessions) fn past(
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

/// Deletes sessions, and their events with them.
pub(in crate::sessions) fn delete(c: &mut AnyConnection, ids: &[SessionId]) -> Result<usize> {
    let ended = user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .filter(not(user_sessions::is_active));
    Ok(diesel::delete(ended).execute(c)?)
}

/// Whether this node may sweep now: on PostgreSQL one at a time does; SQLite has one writer.
pub(in crate::sessions) fn may_sweep(c: &mut AnyConnection) -> Result<bool> {
    /// A name for the lock: "rollswep" in ASCII.
    const SWEEP_LOCK: i64 = 0x726f_6c6c_7377_6570;

    match c {
        AnyConnection::Postgres(c) => {
            Ok(diesel::select(pg_try_advisory_xact_lock(SWEEP_LOCK)).get_result(c)?)
        }
        AnyConnection::Sqlite(_) => Ok(true),
    }
}
