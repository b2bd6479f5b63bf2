//! The queries of a person's recent `user_sessions`, and of the addresses stored in them.

use std::collections::HashSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::model::Session;
use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{
    AnyConnection, ApplicationId, SessionId, UserId, cached, first_rows, in_few_sizes,
};
use crate::error::Result;
use crate::net::ip_key;
use crate::sessions::values::EndedReason;

/// The most live, and the most ended, recent sessions of a person that others are compared with.
const COMPARED: u32 = 200;

/// Returns whether there is any session, ended ones included.
pub(crate) fn any_exists(c: &mut AnyConnection) -> Result<bool> {
    let ids = user_sessions::table.select(user_sessions::id);
    Ok(diesel::select(exists(ids)).get_result(c)?)
}

/// Lists a person's sessions except one: those not marked as ended, newest use first, then ended
/// ones, newest end first; at most `limit` of each.
pub(crate) fn list_recent(
    c: &mut AnyConnection,
    user: UserId,
    except: Option<SessionId>,
    limit: u32,
) -> Result<Vec<Session>> {
    let own = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .select(Session::as_select());
    let live = own.filter(user_sessions::is_active).order((
        user_sessions::last_used_bucket.desc(),
        user_sessions::id.desc(),
    ));
    let mut recent: Vec<Session> = cached(first_rows(live, limit)).load(c)?;
    let past = own
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()));
    let ended: Vec<Session> = cached(first_rows(past, limit)).load(c)?;
    recent.extend(ended);
    recent.retain(|session| Some(session.id) != except);
    Ok(recent)
}

/// Lists the sessions of a person, except one, that a sign-in and what is trusted are compared with: the
/// recent ones, at most [`COMPARED`] live ones and as many that have ended. Where there may be more, also as many
/// from before `first`, the time of the first alert in question, so that whoever signs in often after
/// that displaces none of them.
pub(crate) fn list_compared(
    c: &mut AnyConnection,
    user: UserId,
    except: Option<SessionId>,
    first: Option<Timestamp>,
) -> Result<Vec<Session>> {
    let mut compared = list_recent(c, user, None, COMPARED)?;
    let is_full = compared.len() >= COMPARED as usize;
    if let Some(first) = first.filter(|_| is_full) {
        let known: HashSet<SessionId> = compared.iter().map(|session| session.id).collect();
        let before = list_from_before(c, user, first)?.into_iter();
        compared.extend(before.filter(|session| !known.contains(&session.id)));
    }
    compared.retain(|session| Some(session.id) != except);
    Ok(compared)
}

/// Lists the sessions of a person that began by `first`, in two queries, since active and ended sessions have
/// separate indexes: as [`list_recent`] does, at most [`COMPARED`] of each.
fn list_from_before(c: &mut AnyConnection, user: UserId, first: Timestamp) -> Result<Vec<Session>> {
    let own = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::created_at.le(first))
        .select(Session::as_select());
    let live = own.filter(user_sessions::is_active).order((
        user_sessions::last_used_bucket.desc(),
        user_sessions::id.desc(),
    ));
    let mut before: Vec<Session> = cached(first_rows(live, COMPARED)).load(c)?;
    let past = own
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()));
    let ended: Vec<Session> = cached(first_rows(past, COMPARED)).load(c)?;
    before.extend(ended);
    Ok(before)
}

/// Lists a person's sessions that are not marked as ended, newest sign-in first: those before the one
/// with the id `before`, at most `limit`.
pub(crate) fn list_unended(
    c: &mut AnyConnection,
    user: UserId,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Session>> {
    let mut unended = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .order(user_sessions::id.desc())
        .limit(limit)
        .select(Session::as_select())
        .into_boxed();
    if let Some(before) = before {
        unended = unended.filter(user_sessions::id.lt(before));
    }
    Ok(unended.load(c)?)
}

/// Lists the ids of a person's sessions that are not marked as ended.
pub(crate) fn list_unended_ids(c: &mut AnyConnection, user: UserId) -> Result<Vec<SessionId>> {
    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::is_active)
        .select(user_sessions::id)
        .load(c)?)
}

/// Lists the addresses of a person's sessions, in two queries, since active and ended sessions have
/// separate indexes.
pub(crate) fn list_addresses(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<(SessionId, String)>> {
    let stored = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::ip_address.is_not_null())
        .select((
            user_sessions::id,
            user_sessions::ip_address.assume_not_null(),
        ));
    let mut addresses: Vec<(SessionId, String)> =
        stored.filter(user_sessions::is_active).load(c)?;
    let ended: Vec<(SessionId, String)> = stored.filter(not(user_sessions::is_active)).load(c)?;
    addresses.extend(ended);
    Ok(addresses)
}

/// Updates the address of a session. Returns how many rows changed.
pub(crate) fn update_address(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    ip: Option<&str>,
) -> Result<usize> {
    let session = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id));
    Ok(diesel::update(session)
        .set((
            user_sessions::ip_address.eq(ip),
            user_sessions::ip_key.eq(ip.and_then(ip_key)),
        ))
        .execute(c)?)
}

/// Updates the application of all sessions of these people, ended ones included. The caller has locked
/// them.
pub(crate) fn update_application(
    c: &mut AnyConnection,
    users: &[UserId],
    to: ApplicationId,
) -> Result<usize> {
    let sessions = || user_sessions::table.filter(user_sessions::user_id.eq_any(users));
    let change = user_sessions::application_id.eq(to);
    // In two statements, each with its index. One that ends in between is in the second.
    let live = diesel::update(sessions().filter(user_sessions::is_active))
        .set(change)
        .execute(c)?;
    let ended = diesel::update(sessions().filter(not(user_sessions::is_active)))
        .set(change)
        .execute(c)?;
    Ok(live + ended)
}

/// Lists those of `ids` that are a person's sessions, live or ended, newest sign-in first.
pub(crate) fn list_own_by_ids(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[SessionId],
) -> Result<Vec<Session>> {
    let own = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq_any(in_few_sizes(ids)))
        .order(user_sessions::id.desc())
        .select(Session::as_select());
    Ok(cached(own).load(c)?)
}

/// Finds the first of a person's sessions that are stored which stated the id of a device.
pub(crate) fn find_first_on_device(
    c: &mut AnyConnection,
    user: UserId,
    device: &str,
) -> Result<Option<Session>> {
    let on_device = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::device_id.eq(device))
        .order((user_sessions::created_at, user_sessions::id))
        .select(Session::as_select());
    Ok(cached(first_rows(on_device, 1)).load(c)?.pop())
}

/// Lists a person's sessions that they signed out from elsewhere at `at`, or by a new password, which one act did, at most
/// 1,000.
pub(crate) fn list_ended_at(
    c: &mut AnyConnection,
    user: UserId,
    at: Timestamp,
) -> Result<Vec<Session>> {
    const MAX: i64 = 1_000;
    let by_person = [EndedReason::SignedOutRemotely, EndedReason::PasswordChanged];

    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(not(user_sessions::is_active))
        .filter(user_sessions::ended_at.eq(at))
        .filter(user_sessions::ended_reason.eq_any(by_person.map(EndedReason::as_str)))
        .order(user_sessions::id.desc())
        .limit(MAX)
        .select(Session::as_select())
        .load(c)?)
}

/// Lists the sessions of a person that had been opened and had not ended at `at`, with their devices.
pub(crate) fn list_live_at(
    c: &mut AnyConnection,
    user: UserId,
    at: Timestamp,
) -> Result<Vec<(SessionId, Option<String>)>> {
    const MAX: i64 = 10_000;

    Ok(user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::created_at.le(at))
        .filter(
            user_sessions::is_active
                .nullable()
                .or(user_sessions::ended_at.gt(at)),
        )
        .order(user_sessions::id.desc())
        .limit(MAX)
        .select((user_sessions::id, user_sessions::device_id))
        .load(c)?)
}

/// Lists those of `ids` that there are, of anybody's sessions.
pub(crate) fn list_by_ids(c: &mut AnyConnection, ids: &[SessionId]) -> Result<Vec<Session>> {
    Ok(user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .select(Session::as_select())
        .load(c)?)
}

/// Lists sessions whose address has no sortable form yet, with the address, at most `limit`.
pub(crate) fn list_without_ip_key(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<(SessionId, String)>> {
    Ok(user_sessions::table
        .filter(user_sessions::ip_key.is_null())
        .filter(user_sessions::ip_address.is_not_null())
        .order(user_sessions::id)
        .limit(limit)
        .select((
            user_sessions::id,
            user_sessions::ip_address.assume_not_null(),
        ))
        .load(c)?)
}

/// Updates the sortable form of the address of a session, unless the address changed. What is no
/// address gets a form that no filter finds. Returns how many rows changed.
pub(crate) fn update_ip_key(c: &mut AnyConnection, id: SessionId, ip: &str) -> Result<usize> {
    const NO_ADDRESS: &str = "000000000";

    let key = ip_key(ip).unwrap_or_else(|| NO_ADDRESS.to_owned());
    let session = user_sessions::table
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::ip_address.eq(ip));
    Ok(diesel::update(session)
        .set(user_sessions::ip_key.eq(key))
        .execute(c)?)
}
