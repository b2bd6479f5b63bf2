//! Every query of `session_events`.

mod insertion;
mod retention;
mod search;

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Bool;

pub(super) use self::insertion::insert;
pub(super) use self::retention::{list_without_ip_key, purge, update_ip_key};
pub(crate) use self::search::{count_since, list_times};
pub(super) use self::search::{list_by_ids, list_ids, list_ids_in_network, list_matching};
use super::change::Change;
use super::{EventKind, NewEvent};
use crate::clock::Timestamp;
use crate::db::schema::session_events;
use crate::db::{
    AnyConnection, ApplicationId, EventId, JobId, SessionId, UserId, cached, first_rows,
    in_few_sizes, read_from_text, sql,
};
use crate::error::Result;
use crate::net::ip_key;

read_from_text!(EventKind);

/// Changes that one query reads at most.
pub(super) const MAX_CHANGES: u32 = 10_000;
/// The longest time from the first to the last of events that are counted in one row.
const COUNTED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What concerns no single session, and names; as the index `session_events_of_account` has it, word by word.
const OF_ACCOUNT: &str = "(session_events.session_id IS NULL OR session_events.kind = 'renamed')";

/// An event.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = session_events)]
pub struct Event {
    /// The event's id; later events have larger ones.
    pub id: EventId,
    /// The person whose account it concerns, if it is one who is known.
    pub user_id: Option<UserId>,
    /// The session that it concerns, if it is one.
    pub session_id: Option<SessionId>,
    /// What happened.
    pub kind: EventKind,
    /// What its kind states of it: a reason, a new name.
    pub detail: Option<String>,
    /// The address it was done from, redacted by the person's IP retention.
    pub ip_address: Option<String>,
    /// The person who did it; `None` for the service itself.
    pub by_user_id: Option<UserId>,
    /// The session it was done from, if any.
    pub by_session_id: Option<SessionId>,
    /// When it happened.
    pub at: Timestamp,
    /// The application whose key did it, if one did.
    pub by_application_id: Option<ApplicationId>,
    /// The bulk job that it belongs to, if it does.
    pub job_id: Option<JobId>,
    /// The reason that an administrator stated.
    pub stated_reason: Option<String>,
    /// The name of the device that the request came from, where no session says it; of a device that was
    /// named, the name that it had.
    pub device: Option<String>,
    /// How often it happened, within the hour of `at`: more than once only what is counted.
    pub times: i32,
    /// When it happened last, if it is counted.
    pub last_at: Option<Timestamp>,
}

/// Finds the event with that id.
pub(super) fn find(c: &mut AnyConnection, id: EventId) -> Result<Option<Event>> {
    let event = session_events::table.find(id).select(Event::as_select());
    Ok(event.get_result(c).optional()?)
}

/// Returns whether there are `many` events of the kind and the session of `event`, with this id or a
/// greater one.
pub(super) fn has_many_since(
    c: &mut AnyConnection,
    event: &NewEvent,
    since: EventId,
    many: i64,
) -> Result<bool> {
    let like = session_events::table
        .filter(session_events::session_id.eq(event.session_id))
        .filter(session_events::kind.eq(event.kind.as_str()))
        .filter(session_events::id.ge(since))
        .limit(many)
        .select(session_events::id);
    let found: Vec<EventId> = like.load(c)?;
    Ok(i64::try_from(found.len()).is_ok_and(|found| found >= many))
}

/// Lists at most `limit` of one session's events that are of no `hidden` kind, newest first: those
/// before the one with the id `before`.
pub(super) fn list_by_session(
    c: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    (before, hidden): (Option<EventId>, &[EventKind]),
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
    if !hidden.is_empty() {
        events = events.filter(session_events::kind.ne_all(names(hidden)));
    }
    Ok(events.load(c)?)
}

/// Lists the addresses of a person's events.
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

/// Updates the address of an event.
pub(super) fn update_address(
    c: &mut AnyConnection,
    id: EventId,
    ip: Option<&str>,
) -> Result<usize> {
    Ok(diesel::update(session_events::table.find(id))
        .set((
            session_events::ip_address.eq(ip),
            session_events::ip_key.eq(ip.and_then(ip_key)),
        ))
        .execute(c)?)
}

/// Locks the events of a person, and of what they did, that have an address, until the transaction
/// ends, in the order of their ids. They are as many as there are, so none is loaded.
pub(super) fn lock_with_address(c: &mut AnyConnection, user: UserId) -> Result<()> {
    const LOCK: &str = "SELECT count(*) FROM (SELECT id FROM session_events \
        WHERE (user_id = $1 OR by_user_id = $1) AND ip_address IS NOT NULL \
        ORDER BY id FOR NO KEY UPDATE) AS locked";

    if let AnyConnection::Postgres(c) = c {
        diesel::sql_query(LOCK)
            .bind::<sql::Uuid, _>(user)
            .execute(c)?;
    }
    Ok(())
}

/// Lists the addresses from which a person did what is recorded, each once.
pub(super) fn list_addresses_by(c: &mut AnyConnection, by: UserId) -> Result<Vec<String>> {
    Ok(session_events::table
        .filter(session_events::by_user_id.eq(by))
        .filter(session_events::ip_address.is_not_null())
        .select(session_events::ip_address.assume_not_null())
        .distinct()
        .load(c)?)
}

/// Updates the address of whatever a person did from the address `from`.
pub(super) fn update_addresses_by(
    c: &mut AnyConnection,
    by: UserId,
    from: &str,
    to: Option<&str>,
) -> Result<usize> {
    let events = session_events::table
        .filter(session_events::by_user_id.eq(by))
        .filter(session_events::ip_address.eq(from));
    Ok(diesel::update(events)
        .set((
            session_events::ip_address.eq(to),
            session_events::ip_key.eq(to.and_then(ip_key)),
        ))
        .execute(c)?)
}

/// Clears what counts refusals on a person, or by them, together: the address could be found out from it.
pub(super) fn clear_repeat_keys(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let refusals = session_events::table
        .filter(
            session_events::user_id
                .eq(user)
                .or(session_events::by_user_id.eq(user)),
        )
        .filter(session_events::repeat_key.is_not_null())
        .filter(session_events::kind.eq_any(names(&EventKind::REFUSALS)));
    Ok(diesel::update(refusals)
        .set(session_events::repeat_key.eq(None::<String>))
        .execute(c)?)
}

/// Lists the events of one kind of these sessions of a person, oldest first.
pub(crate) fn list_by_kind(
    c: &mut AnyConnection,
    user: UserId,
    sessions: &[SessionId],
    kind: EventKind,
) -> Result<Vec<Event>> {
    let of_kind = session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::session_id.eq_any(in_few_sizes(sessions)))
        .filter(session_events::kind.eq(kind.as_str()))
        .order(session_events::id)
        .select(Event::as_select());
    Ok(cached(of_kind).load(c)?)
}

/// Lists the events that ended these sessions.
pub(super) fn list_ends(c: &mut AnyConnection, sessions: &[SessionId]) -> Result<Vec<Event>> {
    Ok(session_events::table
        .filter(session_events::session_id.eq_any(sessions))
        .filter(session_events::kind.eq(EventKind::Ended.as_str()))
        .select(Event::as_select())
        .load(c)?)
}

/// Lists at most `limit` of a person's events, newest first: those before the one with the id `before`.
pub(super) fn list_by_person(
    c: &mut AnyConnection,
    user: UserId,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut events = session_events::table
        .filter(session_events::user_id.eq(user))
        .order(session_events::id.desc())
        .limit(limit)
        .select(Event::as_select())
        .into_boxed();
    if let Some(before) = before {
        events = events.filter(session_events::id.lt(before));
    }
    Ok(events.load(c)?)
}

/// Which of a person's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What happened.
    Happened,
    /// What was refused.
    Refused,
    /// What happened and concerns no single session, and the names that devices got.
    HappenedToAccount,
    /// The failed and throttled tries that were made in no session of theirs.
    TriesOnAccount,
}

/// Lists at most `limit` of a person's events, newest first.
pub(super) fn list_newest(
    c: &mut AnyConnection,
    user: UserId,
    part: Part,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut events = session_events::table
        .filter(session_events::user_id.eq(user))
        .order(session_events::id.desc())
        .limit(limit)
        .select(Event::as_select())
        .into_boxed();
    events = match part {
        Part::Happened | Part::HappenedToAccount => {
            events.filter(session_events::kind.ne_all(names(&EventKind::REFUSALS)))
        }
        Part::Refused => events.filter(session_events::kind.eq_any(names(&EventKind::REFUSALS))),
        Part::TriesOnAccount => {
            events.filter(session_events::kind.eq_any(names(&EventKind::REFUSED_TRIES)))
        }
    };
    let is_of_none = session_events::session_id.is_null();
    events = match part {
        Part::HappenedToAccount => events.filter(diesel::dsl::sql::<Bool>(OF_ACCOUNT)),
        Part::TriesOnAccount => events.filter(is_of_none),
        Part::Happened | Part::Refused => events,
    };
    Ok(events.load(c)?)
}

/// Returns the stored forms of kinds.
fn names(kinds: &[EventKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

/// Lists the changes after the event with the id `after`, of one person or of all, oldest first, at
/// most [`MAX_CHANGES`].
pub(super) fn list_changes_after(
    c: &mut AnyConnection,
    user: Option<UserId>,
    after: EventId,
) -> Result<Vec<(EventId, Change)>> {
    let mut events = session_events::table
        .filter(session_events::id.gt(after))
        .filter(session_events::user_id.is_not_null())
        .filter(session_events::last_at.is_null())
        .order(session_events::id)
        .select((
            session_events::id,
            session_events::user_id.assume_not_null(),
            session_events::session_id,
            session_events::kind,
            session_events::at,
            session_events::times,
        ))
        .into_boxed();
    if let Some(user) = user {
        events = events.filter(session_events::user_id.eq(user));
    }
    let changes: Vec<ChangeRow> = cached(first_rows(events, MAX_CHANGES)).load(c)?;
    Ok(changes.into_iter().map(change).collect())
}

/// Lists the latest changes of these people after the event with the id `after`, oldest first, at most
/// [`MAX_CHANGES`].
pub(super) fn list_latest_changes_of(
    c: &mut AnyConnection,
    people: &[UserId],
    after: EventId,
) -> Result<Vec<(EventId, Change)>> {
    let latest = session_events::table
        .filter(session_events::user_id.eq_any(in_few_sizes(people)))
        .filter(session_events::id.gt(after))
        .filter(session_events::last_at.is_null())
        .order(session_events::id.desc())
        .select((
            session_events::id,
            session_events::user_id.assume_not_null(),
            session_events::session_id,
            session_events::kind,
            session_events::at,
            session_events::times,
        ));
    let latest: Vec<ChangeRow> = cached(first_rows(latest, MAX_CHANGES)).load(c)?;
    Ok(latest.into_iter().rev().map(change).collect())
}

/// Lists the changes of these people that are counted and happened last after `since`, by when they
/// happened first, at most [`MAX_CHANGES`]; what was refused is none.
pub(super) fn list_counted_changes_of(
    c: &mut AnyConnection,
    people: &[UserId],
    since: Timestamp,
) -> Result<Vec<(EventId, Change)>> {
    let counted = session_events::table
        .filter(session_events::user_id.eq_any(in_few_sizes(people)))
        .filter(session_events::id.gt(EventId::first_at(since - COUNTED_WITHIN)))
        .filter(session_events::last_at.gt(since))
        .filter(session_events::kind.ne_all(names(&EventKind::REFUSALS)))
        .order(session_events::id)
        .select((
            session_events::id,
            session_events::user_id.assume_not_null(),
            session_events::session_id,
            session_events::kind,
            session_events::last_at.assume_not_null(),
            session_events::times,
        ));
    let counted: Vec<ChangeRow> = cached(first_rows(counted, MAX_CHANGES)).load(c)?;
    Ok(counted.into_iter().map(change).collect())
}

type ChangeRow = (
    EventId,
    UserId,
    Option<SessionId>,
    EventKind,
    Timestamp,
    i32,
);

fn change((id, user, session, kind, at, times): ChangeRow) -> (EventId, Change) {
    let change = Change {
        user,
        session,
        kind,
        at,
        times,
    };
    (id, change)
}
