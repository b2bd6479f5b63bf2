//! Events: what happened to an account or a session, when, from where and by whom; and what was
//! refused. An event is recorded in the transaction of what it describes, a refusal within a second.
//! It is never changed afterwards, except that IP retention redacts its address, that those which may
//! happen often are counted in one row by hour, and that a deleted person's have nothing but ids left.

mod actor;
mod change;
mod changes;
mod criteria;
mod kind;
mod kinds;
mod listeners;
mod new_event;
mod refusal;
mod refusal_buffer;
mod refusals;
mod retention;
mod search;
mod setting;
mod stated_reason;
pub(crate) mod store;
mod travel;

use std::time::Duration;

pub use self::actor::Actor;
pub use self::change::Change;
pub use self::changes::{Changes, PageState, Subscription};
pub use self::criteria::{EventBounds, EventCriteria, EventOrder};
pub use self::kind::{DECLINED, EventKind};
pub use self::kinds::{EventGroup, EventKinds};
pub use self::listeners::ListenerPlace;
pub use self::new_event::{NewEvent, Origin};
pub use self::refusal::{PendingRefusal, Refusal, Source};
pub use self::refusals::{Refusals, TakenRefusals};
pub use self::retention::EventRetention;
pub use self::search::{EventPosition, EventQuery, FoundEvents, count, search};
pub use self::setting::Setting;
pub use self::stated_reason::StatedReason;
pub use self::store::Event;
use self::store::Part;
pub use self::travel::RecordedTravel;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, Db, EventId, SessionId, UserId};
use crate::error::Result;
use crate::net::IpRetention;

/// The events of a kind and a session that have a row each, within an hour.
const MOST_RARE: i64 = 50;
const RARE_SPAN: Duration = Duration::from_secs(60 * 60);

/// Records events, as a part of the transaction of what they describe.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn record_events(c: &mut AnyConnection, events: &[NewEvent]) -> Result<()> {
    match events {
        [] => Ok(()),
        events => store::insert(c, events),
    }
}

/// Records an event that is rare, and may be repeated at will all the same: beyond so many of one kind
/// and session within an hour they are counted in one row.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn record_rare_event(c: &mut AnyConnection, event: NewEvent) -> Result<()> {
    let since = EventId::first_at(event.at() - RARE_SPAN);
    let event = match store::has_many_since(c, &event, since, MOST_RARE)? {
        true => event.counted(),
        false => event,
    };
    store::insert(c, &[event])
}

/// Redacts the addresses of what a person did, to themselves or to others. Returns how many changed.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn redact_addresses_by(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
) -> Result<usize> {
    store::lock_with_address(c, user)?;
    let mut changed = 0;
    for ip in store::list_addresses_by(c, user)? {
        let redacted = retention.redact(&ip);
        if redacted.as_ref() != Some(&ip) {
            changed += store::update_addresses_by(c, user, &ip, redacted.as_deref())?;
        }
    }
    Ok(changed)
}

/// Redacts the addresses of a person's events, and of what they did to others. Returns how many changed.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn redact_addresses(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
) -> Result<usize> {
    let mut changed = redact_addresses_by(c, user, retention)?;
    store::clear_repeat_keys(c, user)?;
    for (id, ip) in store::list_addresses(c, user)? {
        let redacted = retention.redact(&ip);
        if redacted.as_ref() != Some(&ip) {
            changed += store::update_address(c, id, redacted.as_deref())?;
        }
    }
    Ok(changed)
}

/// Returns whether a session has an event of that kind after `since`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn has_event_since(
    c: &mut AnyConnection,
    (user, session): (UserId, SessionId),
    kind: EventKind,
    since: Timestamp,
) -> Result<bool> {
    Ok(store::list_by_kind(c, user, &[session], kind)?
        .iter()
        .any(|event| event.at > since))
}

/// Lists the events of one kind of some of a person's sessions, oldest first.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_by_kind(
    db: &Db,
    user: UserId,
    sessions: Vec<SessionId>,
    kind: EventKind,
) -> Result<Vec<Event>> {
    db.read(move |c| store::list_by_kind(c, user, &sessions, kind))
        .await
}

/// Lists the events that ended these sessions of anybody. The caller bounds their number.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_ends(db: &Db, sessions: Vec<SessionId>) -> Result<Vec<Event>> {
    match sessions.is_empty() {
        true => Ok(Vec::new()),
        false => db.read(move |c| store::list_ends(c, &sessions)).await,
    }
}

/// Finds the event with that id.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn find(db: &Db, id: EventId) -> Result<Option<Event>> {
    db.read(move |c| store::find(c, id)).await
}

/// Lists the ids of the events within `bounds` that meet the criteria, oldest first, at most `limit`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_ids(
    db: &Db,
    criteria: EventCriteria,
    bounds: EventBounds,
    limit: u32,
) -> Result<Vec<EventId>> {
    db.read(move |c| {
        let order = EventOrder::OldestFirst;
        store::list_ids(c, &criteria, bounds, order, i64::from(limit))
    })
    .await
}

/// Lists the events with these ids, oldest first.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_by_ids(db: &Db, ids: Vec<EventId>) -> Result<Vec<Event>> {
    let all = EventCriteria::default();
    db.read(move |c| store::list_by_ids(c, &all, ids, EventOrder::OldestFirst))
        .await
}

/// Who reads events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventReader {
    /// The person whose they are.
    Person,
    /// Somebody who watches the service.
    Watcher,
}

impl EventReader {
    fn hidden_kinds(self) -> &'static [EventKind] {
        match self {
            Self::Person => &EventKind::TECHNICAL,
            Self::Watcher => &[],
        }
    }
}

/// A page of one session's events, newest first.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// The `before` of the next page; `None` on the last page.
    pub next_before: Option<EventId>,
}

/// Lists the events of a person, newest first, at most `limit`: those before the one with the id
/// `before`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_by_person(
    db: &Db,
    user: UserId,
    before: Option<EventId>,
    limit: u32,
) -> Result<Vec<Event>> {
    db.read(move |c| store::list_by_person(c, user, before, i64::from(limit)))
        .await
}

/// Lists what the person is shown of their account, newest first, without what concerns one of their
/// sessions, except the names of devices: at most so many of what happened, and of what was refused. So no
/// flood of guesses hides what happened.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_of_account(db: &Db, user: UserId, limits: (u32, u32)) -> Result<Vec<Event>> {
    list_both(
        db,
        user,
        [Part::HappenedToAccount, Part::TriesOnAccount],
        limits,
    )
    .await
}

/// Lists what those who watch are shown of a person first, newest first: at most so many of what
/// happened, and of what was refused.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_newest_of_person(
    db: &Db,
    user: UserId,
    limits: (u32, u32),
) -> Result<Vec<Event>> {
    list_both(db, user, [Part::Happened, Part::Refused], limits).await
}

async fn list_both(
    db: &Db,
    user: UserId,
    [happened, refused]: [Part; 2],
    (limit, most_refused): (u32, u32),
) -> Result<Vec<Event>> {
    db.read(move |c| {
        let mut events = store::list_newest(c, user, happened, i64::from(limit))?;
        let refused = store::list_newest(c, user, refused, i64::from(most_refused))?;
        events.extend(refused);
        events.sort_by_key(|event| std::cmp::Reverse(event.id));
        Ok(events)
    })
    .await
}

/// Lists a page of one session's events for `reader`, newest first: those before the one with the id
/// `before`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_by_session(
    db: &Db,
    user: UserId,
    session: SessionId,
    (before, reader): (Option<EventId>, EventReader),
    limit: u32,
) -> Result<EventPage> {
    let limit = limit as usize;
    let mut events = db
        .read(move |c| {
            let shown = (before, reader.hidden_kinds());
            store::list_by_session(c, (user, session), shown, limit as i64 + 1)
        })
        .await?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    let next_before = events.last().filter(|_| has_more).map(|last| last.id);
    Ok(EventPage {
        events,
        next_before,
    })
}
