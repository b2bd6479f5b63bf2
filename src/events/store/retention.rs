//! Queries of the sweep: events past their retention, and addresses without their sortable form.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::session_events;
use crate::db::{AnyConnection, EventId};
use crate::error::Result;
use crate::net::ip_key;

/// The sortable form of an address that is none. No filter finds it.
const NO_ADDRESS: &str = "000000000";

/// Deletes at most `limit` of the events before `before`, oldest first. Returns how many.
pub(in crate::events) fn purge(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    // The ids find them, since they begin with the time.
    let past: Vec<EventId> = session_events::table
        .filter(session_events::id.lt(EventId::first_at(before)))
        .filter(session_events::at.lt(before))
        .order(session_events::id)
        .limit(limit)
        .select(session_events::id)
        .load(c)?;
    if past.is_empty() {
        return Ok(0);
    }
    let past = session_events::table.filter(session_events::id.eq_any(past));
    Ok(diesel::delete(past).execute(c)?)
}

/// Lists events whose address has no sortable form yet, with the address, at most `limit`.
pub(in crate::events) fn list_without_ip_key(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<(EventId, String)>> {
    Ok(session_events::table
        .filter(session_events::ip_key.is_null())
        .filter(session_events::ip_address.is_not_null())
        .order(session_events::id)
        .limit(limit)
        .select((
            session_events::id,
            session_events::ip_address.assume_not_null(),
        ))
        .load(c)?)
}

/// Updates the sortable form of the address of an event, unless the address changed. Returns how many
/// rows changed.
pub(in crate::events) fn update_ip_key(
    c: &mut AnyConnection,
    id: EventId,
    ip: &str,
) -> Result<usize> {
    let key = ip_key(ip).unwrap_or_else(|| NO_ADDRESS.to_owned());
    let event = session_events::table
        .filter(session_events::id.eq(id))
        .filter(session_events::ip_address.eq(ip));
    Ok(diesel::update(event)
        .set(session_events::ip_key.eq(key))
        .execute(c)?)
}
