//! What happened to which session, when, from where and by whom. Written in the same transaction
//! as what it tells of; never changed.

mod changes;
mod store;

use std::fmt;
use std::str::FromStr;

pub use self::changes::{Change, Changes};
pub use self::store::Event;
use crate::db::{AnyConnection, Db, EventId, SessionId, Timestamp, UserId};
use crate::devices::address::AddressKeeping;
use crate::error::Result;

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A session was opened.
    SignedIn,
    /// A refresh token was used from another address than before.
    Refreshed,
    /// The device was given a name.
    Renamed,
    /// The session ended; the detail is the reason.
    Ended,
    /// It was used in two places faster than anybody travels; the detail is how far and how fast.
    ImpossibleTravel,
    /// The person's password was changed.
    PasswordChanged,
    /// What the person signs in with was changed.
    EmailChanged,
}

impl EventKind {
    const ALL: [Self; 7] = [
        Self::SignedIn,
        Self::Refreshed,
        Self::Renamed,
        Self::Ended,
        Self::ImpossibleTravel,
        Self::PasswordChanged,
        Self::EmailChanged,
    ];

    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Refreshed => "refreshed",
            Self::Renamed => "renamed",
            Self::Ended => "ended",
            Self::ImpossibleTravel => "impossible_travel",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
        }
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no kind of event"))
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did something, and from where. Nobody, from nowhere, is the service itself.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The person who did it.
    pub user: Option<UserId>,
    /// The session they did it from.
    pub session: Option<SessionId>,
    /// The address they did it from, in canonical text.
    pub ip: Option<String>,
}

/// An event to be recorded.
#[derive(Debug)]
pub struct NewEvent {
    user_id: UserId,
    session_id: Option<SessionId>,
    kind: EventKind,
    detail: Option<String>,
    origin: Origin,
    at: Timestamp,
}

impl NewEvent {
    /// Something that happened to a session.
    pub fn of_session(
        user: UserId,
        session: SessionId,
        kind: EventKind,
        origin: &Origin,
        at: Timestamp,
    ) -> Self {
        Self {
            session_id: Some(session),
            ..Self::of_person(user, kind, origin, at)
        }
    }

    /// Something that happened to a person, whatever their sessions.
    pub fn of_person(user: UserId, kind: EventKind, origin: &Origin, at: Timestamp) -> Self {
        Self {
            user_id: user,
            session_id: None,
            kind,
            detail: None,
            origin: origin.clone(),
            at,
        }
    }

    /// Adds what more there is to say: a reason, a new name.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

/// Records what happened, as a part of the transaction it happened in.
///
/// # Errors
/// When the database refuses.
pub(crate) fn record(c: &mut AnyConnection, events: &[NewEvent]) -> Result<()> {
    match events {
        [] => Ok(()),
        events => store::insert(c, events),
    }
}

/// Makes what is kept of a person's addresses no more than `keeping`.
///
/// # Errors
/// When the database refuses.
pub(crate) fn keep_addresses(
    c: &mut AnyConnection,
    user: UserId,
    keeping: AddressKeeping,
) -> Result<()> {
    for (id, ip) in store::addresses_of(c, user)? {
        store::set_address(c, id, keeping.keep(&ip).as_deref())?;
    }
    Ok(())
}

/// Whether something of that kind has happened to a session since then.
///
/// # Errors
/// When the database refuses.
pub(crate) fn has_happened(
    c: &mut AnyConnection,
    session: (UserId, SessionId),
    kind: EventKind,
    since: Timestamp,
) -> Result<bool> {
    Ok(store::of_kind(c, session.0, &[session.1], kind)?
        .iter()
        .any(|event| event.at > since))
}

/// Which of a person's sessions something of that kind has happened to, with the last of each.
///
/// # Errors
/// When the database doesn't answer.
pub async fn of_kind(
    db: &Db,
    user: UserId,
    sessions: Vec<SessionId>,
    kind: EventKind,
) -> Result<Vec<Event>> {
    db.read(move |c| store::of_kind(c, user, &sessions, kind))
        .await
}

/// Some of one session's events, newest first.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// The next page has those before this one; none after the last page.
    pub next_before: Option<EventId>,
}

/// Everything that happened to a person, newest first, at most `limit`.
///
/// # Errors
/// When the database doesn't answer.
pub async fn of_person(db: &Db, user: UserId, limit: u32) -> Result<Vec<Event>> {
    db.read(move |c| store::of_person(c, user, i64::from(limit)))
        .await
}

/// A page of one session's events, newest first: those before the one with the id `before`.
///
/// # Errors
/// When the database doesn't answer.
pub async fn of_session(
    db: &Db,
    user: UserId,
    session: SessionId,
    before: Option<EventId>,
    limit: u32,
) -> Result<EventPage> {
    let limit = limit as usize;
    let mut events = db
        .read(move |c| store::of_session(c, (user, session), before, limit as i64 + 1))
        .await?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    let next_before = events.last().filter(|_| has_more).map(|last| last.id);
    Ok(EventPage {
        events,
        next_before,
    })
}
