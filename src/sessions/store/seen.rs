//! The queries of `user_sessions` that tell where a person has been, and what is kept of that.

use diesel::dsl::not;
use diesel::prelude::*;

use super::Session;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;

/// A person's sessions, perhaps without one, live and ended, newest first of each, `limit` of each at most.
pub(in crate::sessions) fn seen_of(
    c: &mut AnyConnection,
    user: UserId,
    but: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Session>> {
    let own = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .limit(limit)
        .select(Session::as_select());
    let mut seen: Vec<Session> = own
        .filter(user_sessions::is_active)
        .order(user_sessions::last_used_at.desc())
        .load(c)?;
    let ended: Vec<Session> = own
        .filter(not(user_sessions::is_active))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()))
        .load(c)?;
    seen.extend(ended);
    seen.retain(|session| Some(session.id) != but);
    Ok(seen)
}

/// The addresses of a person's sessions. Live and ended ones are asked for apart, as each have an
/// index of their own.
pub(in crate::sessions) fn addresses_of(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<(SessionId, String)>> {
    let placed = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::ip_address.is_not_null())
        .select((
            user_sessions::id,
            user_sessions::ip_address.assume_not_null(),
        ));
    let mut addresses: Vec<(SessionId, String)> =
        placed.filter(user_sessions::is_active).load(c)?;
    let ended: Vec<(SessionId, String)> = placed.filter(not(user_sessions::is_active)).load(c)?;
    addresses.extend(ended);
    Ok(addresses)
}

/// Puts another address, or none, into a session.
pub(in crate::sessions) fn set_address(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    ip: Option<&str>,
) -> Result<usize> {
    let it = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id));
    Ok(diesel::update(it)
        .set(user_sessions::ip_address.eq(ip))
        .execute(c)?)
}
