//! Events: what happened to an account or a session, when, from where and by whom. An event is
//! recorded in the transaction of what it describes, and never changed afterwards, except that IP
//! retention redacts its address.

mod actor;
mod change;
mod changes;
mod criteria;
mod listeners;
mod retention;
mod search;
mod stated_reason;
pub(crate) mod store;

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

pub use self::actor::Actor;
pub use self::change::Change;
pub use self::changes::{Changes, Subscription};
pub use self::criteria::{EventBounds, EventCriteria, EventOrder};
pub use self::listeners::ListenerPlace;
pub use self::retention::EventRetention;
pub use self::search::{EventPosition, EventQuery, FoundEvents, count, search};
pub use self::stated_reason::StatedReason;
pub use self::store::Event;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApiKeyId, ApplicationId, Db, EventId, JobId, SessionId, UserId};
use crate::error::Result;
use crate::net::IpRetention;

/// The detail of the deletion of an account that whoever reads its mailbox declined.
pub const DECLINED: &str = "declined";

/// The kind of an event. Its text form is stored.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    /// A session was created.
    SignedIn,
    /// A refresh token was used from another address than before.
    Refreshed,
    /// The session's device was given a name, which is the detail.
    Renamed,
    /// The session ended; the detail is the reason.
    Ended,
    /// Impossible travel: the session was used too far from the last place, too soon. The detail is
    /// the distance and the time.
    ImpossibleTravel,
    /// The person's password was changed.
    PasswordChanged,
    /// The e-mail that the person signs in with was changed.
    EmailChanged,
    /// A change of that e-mail was requested; it takes effect once the new one is verified.
    EmailChangeRequested,
    /// The e-mail that the person signs in with was verified.
    EmailVerified,
    /// The account was taken back by the mailbox of a former e-mail.
    TakenBack,
    /// An administrator created the account; the detail is its role.
    AccountCreated,
    /// An administrator invited the person, by a link that sets their first password.
    Invited,
    /// An administrator disabled the account.
    Disabled,
    /// An administrator enabled the account again.
    Enabled,
    /// An administrator changed what the account may do; the detail is the new role.
    RoleChanged,
    /// An administrator created a link that sets a new password.
    ResetLinkCreated,
    /// An administrator changed the name to call the person by.
    NameChanged,
    /// An administrator vouched for the e-mail that the person signs in with.
    EmailVouched,
    /// An administrator lifted the delay after wrong passwords.
    DelayLifted,
    /// An administrator exported what is stored about the person.
    Exported,
    /// A job that ends sessions was stopped, of those that the person ordered; or by the person, if no
    /// person ordered it. The detail is why.
    JobStopped,
    /// The account was deleted, by its owner or by an administrator; or since whoever reads its mailbox
    /// declined it, which is the detail [`DECLINED`]. It outlives the account, and so does that its jobs
    /// stopped with it; its other events go with it.
    AccountDeleted,
}

impl EventKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Who did something, and from where. The default, without either, is the service itself.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The person who did it, if any.
    pub user: Option<UserId>,
    /// The session they did it from, if any.
    pub session: Option<SessionId>,
    /// The address they did it from, in canonical text.
    pub ip: Option<String>,
    /// The application whose key did it, if one did.
    pub application: Option<ApplicationId>,
    /// That key, if it acts as an administrator.
    pub key: Option<ApiKeyId>,
    /// The bulk job that it belongs to, if it does.
    pub job: Option<JobId>,
    /// The reason that an administrator stated. The person whom it concerns sees it.
    pub reason: Option<StatedReason>,
}

impl Origin {
    /// Returns the origin with the reason that an administrator stated.
    #[must_use]
    pub fn with_reason(self, reason: StatedReason) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }
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
    /// Returns an event of a session.
    #[must_use]
    pub fn for_session(
        user: UserId,
        session: SessionId,
        kind: EventKind,
        origin: &Origin,
        at: Timestamp,
    ) -> Self {
        Self {
            session_id: Some(session),
            ..Self::for_person(user, kind, origin, at)
        }
    }

    /// Returns an event of a person that concerns no single session.
    #[must_use]
    pub fn for_person(user: UserId, kind: EventKind, origin: &Origin, at: Timestamp) -> Self {
        Self {
            user_id: user,
            session_id: None,
            kind,
            detail: None,
            origin: origin.clone(),
            at,
        }
    }

    /// Returns the event with a detail, such as a reason or a new name.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

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

/// Redacts the addresses of what a person did, to themselves or to others.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn redact_addresses_by(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
) -> Result<()> {
    store::lock_with_address(c, user)?;
    for ip in store::list_addresses_by(c, user)? {
        let redacted = retention.redact(&ip);
        if redacted.as_ref() != Some(&ip) {
            store::update_addresses_by(c, user, &ip, redacted.as_deref())?;
        }
    }
    Ok(())
}

/// Redacts the addresses of a person's events, and of what they did to others.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn redact_addresses(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
) -> Result<()> {
    redact_addresses_by(c, user, retention)?;
    for (id, ip) in store::list_addresses(c, user)? {
        store::update_address(c, id, retention.redact(&ip).as_deref())?;
    }
    Ok(())
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

/// Lists the events of a person that concern no single session, newest first, at most `limit`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_of_account(db: &Db, user: UserId, limit: u32) -> Result<Vec<Event>> {
    db.read(move |c| store::list_of_account(c, user, i64::from(limit)))
        .await
}

/// Lists a page of one session's events, newest first: those before the one with the id `before`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list_by_session(
    db: &Db,
    user: UserId,
    session: SessionId,
    before: Option<EventId>,
    limit: u32,
) -> Result<EventPage> {
    let limit = limit as usize;
    let mut events = db
        .read(move |c| store::list_by_session(c, (user, session), before, limit as i64 + 1))
        .await?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    let next_before = events.last().filter(|_| has_more).map(|last| last.id);
    Ok(EventPage {
        events,
        next_before,
    })
}
