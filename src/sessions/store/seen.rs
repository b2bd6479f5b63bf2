//! The queries of `user_sessions` that tell where a person has been, and what is kept of that.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::Session;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;

/// A person's sessions but one, live and ended, newest first of each, `limit` of each at most.
pub(in crate::sessions) fn seen_of(
    c: &mut AnyConnection,
    user: UserId,
    but: SessionId,
    limit: i64,
) -> Result<Vec<Session>> {
    let own = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.ne(but))
        .limit(limit)
        .select(Session::as_select());
    let mut seen: Vec<Session> = own
        .filter(user_sessions::is_active.eq(true))
        .order(user_sessions::last_used_at.desc())
        .load(c)?;
    let ended: Vec<Session> = own
        .filter(user_sessions::is_active.eq(false))
        .order((user_sessions::ended_at.desc(), user_sessions::id.desc()))
        .load(c)?;
    seen.extend(ended);
    Ok(seen)
}

/// The addresses that a person's sessions have. Live and ended ones are asked for apart, as each have
/// an index of their own.
pub(in crate::sessions) fn addresses_of(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<BTreeSet<String>> {
    let mut addresses = BTreeSet::new();
    for is_live in [true, false] {
        let found: Vec<String> = user_sessions::table
            .filter(user_sessions::user_id.eq(user))
            .filter(user_sessions::is_active.eq(is_live))
            .filter(user_sessions::ip_address.is_not_null())
            .select(user_sessions::ip_address.assume_not_null())
            .distinct()
            .load(c)?;
        addresses.extend(found);
    }
    Ok(addresses)
}

/// Puts another address, or none, where a person's sessions have `old`.
pub(in crate::sessions) fn replace_address(
    c: &mut AnyConnection,
    user: UserId,
    old: &str,
    new: Option<&str>,
) -> Result<()> {
    for is_live in [true, false] {
        let those = user_sessions::table
            .filter(user_sessions::user_id.eq(user))
            .filter(user_sessions::is_active.eq(is_live))
            .filter(user_sessions::ip_address.eq(old));
        diesel::update(those)
            .set(user_sessions::ip_address.eq(new))
            .execute(c)?;
    }
    Ok(())
}
