//! Every query of `session_events`.

use diesel::prelude::*;

use super::change::Change;
use super::{EventKind, NewEvent};
use crate::clock::Timestamp;
use crate::db::schema::session_events;
use crate::db::{AnyConnection, EventId, SessionId, UserId, on_each, read_from_text};
use crate::error::Result;

read_from_text!(EventKind);

/// Changes looked at in one go.
const MAX_CHANGES: i64 = 10_000;

/// Something that happened.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = session_events)]
pub struct Event {
    /// Its id; later events have larger ones.
    pub id: EventId,
    /// Whose account it was.
    pub user_id: UserId,
    /// Which session, if it was one.
    pub session_id: Option<SessionId>,
    /// What happened.
    pub kind: EventKind,
    /// What more there is to say.
    pub detail: Option<String>,
    /// Where it was done from.
    pub ip_address: Option<String>,
    /// Who did it.
    pub by_user_id: Option<UserId>,
    /// The session it was done from.
    pub by_session_id: Option<SessionId>,
    /// When.
    pub at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = session_events)]
struct Row<'a> {
    id: EventId,
    user_id: UserId,
    session_id: Option<SessionId>,
    kind: &'a str,
    detail: Option<&'a str>,
    ip_address: Option<&'a str>,
    by_user_id: Option<UserId>,
    by_session_id: Option<SessionId>,
    at: Timestamp,
}

impl<'a> From<&'a NewEvent> for Row<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            id: EventId::new(event.at),
            user_id: event.user_id,
            session_id: event.session_id,
            kind: event.kind.as_str(),
            detail: event.detail.as_deref(),
            ip_address: event.origin.ip.as_deref(),
            by_user_id: event.origin.user,
            by_session_id: event.origin.session,
            at: event.at,
        }
    }
}

pub(super) fn insert(c: &mut AnyConnection, events: &[NewEvent]) -> Result<()> {
    let rows: Vec<Row<'_>> = events.iter().map(Row::from).collect();
    on_each!(c, c => diesel::insert_into(session_events::table).values(&rows).execute(c))?;
    Ok(())
}

/// One session's events before the one with the id `before`, newest first.
pub(super) fn list_by_session(
    c: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut events = session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::session_id.eq(session))
        .order(session_events::id.desc())
        .limit(limit)
        .select(Event::as_select())
        .into_boxed();
    if let Some(before) = before {
        events = events.filter(session_events::id.lt(before));
    }
    Ok(events.load(c)?)
}

/// The addresses of a person's events.
pub(super) fn list_addresses(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<(EventId, String)>> {
    Ok(session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::ip_address.is_not_null())
        .select((
            session_events::id,
            session_events::ip_address.assume_not_null(),
        ))
        .load(c)?)
}

/// Puts another address, or none, into one of them.
pub(super) fn update_address(
    c: &mut AnyConnection,
    id: EventId,
    ip: Option<&str>,
) -> Result<usize> {
    Ok(diesel::update(session_events::table.find(id))
        .set(session_events::ip_address.eq(ip))
        .execute(c)?)
}

/// Events of one kind that happened to these sessions, oldest first.
pub(super) fn list_by_kind(
    c: &mut AnyConnection,
    user: UserId,
    sessions: &[SessionId],
    kind: EventKind,
) -> Result<Vec<Event>> {
    Ok(session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::session_id.eq_any(sessions))
        .filter(session_events::kind.eq(kind.as_str()))
        .order(session_events::id)
        .select(Event::as_select())
        .load(c)?)
}

/// Lists a person's events, newest first.
pub(super) fn list_by_person(
    c: &mut AnyConnection,
    user: UserId,
    limit: i64,
) -> Result<Vec<Event>> {
    Ok(session_events::table
        .filter(session_events::user_id.eq(user))
        .order(session_events::id.desc())
        .limit(limit)
        .select(Event::as_select())
        .load(c)?)
}

/// Events after the one with the id `after`, a person's or everybody's, oldest first.
pub(super) fn list_changes_after(
    c: &mut AnyConnection,
    user: Option<UserId>,
    after: EventId,
) -> Result<Vec<(EventId, Change)>> {
    let mut events = session_events::table
        .filter(session_events::id.gt(after))
        .order(session_events::id)
        .limit(MAX_CHANGES)
        .select(Event::as_select())
        .into_boxed();
    if let Some(user) = user {
        events = events.filter(session_events::user_id.eq(user));
    }
    let change = |event: Event| {
        let change = Change {
            user: event.user_id,
            session: event.session_id,
            kind: event.kind,
            at: event.at,
        };
        (event.id, change)
    };
    Ok(events.load(c)?.into_iter().map(change).collect())
}
