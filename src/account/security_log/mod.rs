//! The security log: the events of all people with the names of those whom they concern, for
//! administrators and auditors.

mod filter;
mod follow;
mod query;
mod record;

use std::collections::HashMap;
use std::time::Duration;

pub use self::filter::EventFilter;
pub use self::follow::EventFollower;
pub use self::query::EventLogQuery;
pub use self::record::EventRecord;
use super::Accounts;
use crate::applications::{self, Application};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId, EventId, SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{
    self, Event, EventBounds, EventCriteria, EventKind, EventKinds, EventPosition, EventQuery,
    FoundEvents,
};
use crate::listing::MatchCount;
use crate::net::IpFilter;
use crate::people::{User, store as people};
use crate::sessions::{EndedReason, Session, store as sessions};

/// How long one page is searched for.
const BUDGET: Duration = Duration::from_secs(5);
/// How much of the log is around an event, before and after it.
const AROUND: Duration = Duration::from_secs(10 * 60);

/// An event with those whom it concerns, as far as they still exist.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// The event. Its address is redacted by the IP retention of its person, and of who did it.
    pub event: Event,
    /// The person on whom.
    pub owner: Option<User>,
    /// The session on which.
    pub session: Option<Session>,
    /// The person by whom.
    pub by: Option<User>,
    /// The application by whose key.
    pub application: Option<Application>,
}

/// A page of the log, newest event first.
#[derive(Debug, Clone, Default)]
pub struct EventLogPage {
    /// The events.
    pub events: Vec<LoggedEvent>,
    /// The cursor of the page of older events, if there are any.
    pub next: Option<String>,
    /// The cursor of the page of newer events, if there may be any.
    pub previous: Option<String>,
    /// The cursor to go on from, if searching took too long: the page is what was found so far.
    pub more: Option<String>,
}

impl EventLogPage {
    /// Returns the number of events that match, of which `counted` was found besides: where the page has
    /// all of them, that is what it has.
    #[must_use]
    pub fn total(&self, counted: MatchCount) -> MatchCount {
        let is_all = self.next.is_none() && self.previous.is_none();
        counted.of_page(self.events.len(), is_all)
    }
}

impl Accounts {
    /// Finds a page of the events of all people.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of this filter; [`Error::Unavailable`] when the
    /// database doesn't respond.
    pub async fn search_events(&self, query: &EventLogQuery) -> Result<EventLogPage> {
        let EventLogQuery {
            filter,
            cursor,
            limit,
        } = query;
        let key = filter.list_key();
        let position = cursor
            .as_deref()
            .map(|cursor| key.open(cursor))
            .transpose()?;
        let Some(criteria) = self.resolve(filter).await? else {
            return Ok(EventLogPage::default());
        };
        let query = EventQuery {
            criteria,
            position,
            limit: *limit,
            budget: BUDGET,
        };
        let found = events::search(&self.db, query).await?;
        self.page(found, filter).await
    }

    /// Counts the events that a filter finds, of which those of a page are some: at least so many, where
    /// too many would have to be read. Those at an address are not counted: a number must not reveal
    /// what the retention of addresses hides.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn count_events(&self, filter: &EventFilter) -> Result<MatchCount> {
        if filter.ip.is_some() {
            return Ok(MatchCount::About(0));
        }
        match self.resolve(filter).await? {
            Some(criteria) => events::count(&self.db, criteria).await,
            None => Ok(MatchCount::Exactly(0)),
        }
    }

    /// Finds the events of all people within ten minutes of an event, that one among them, at most
    /// `limit`. Returns them with the filter of that time, which the cursors are for.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such event; [`Error::Unavailable`] when the database
    /// doesn't respond.
    pub async fn search_events_around(
        &self,
        id: EventId,
        limit: u32,
    ) -> Result<(EventFilter, EventLogPage)> {
        let event = events::find(&self.db, id).await?.ok_or(Error::NotFound)?;
        let filter = EventFilter::around(event.at, AROUND);
        let criteria = EventCriteria {
            bounds: filter.bounds(self.clock.now()),
            ..EventCriteria::default()
        };
        let query = |position, limit| EventQuery {
            criteria: criteria.clone(),
            position: Some(position),
            limit,
            budget: BUDGET,
        };
        let newer = query(EventPosition::From(id), limit / 2);
        let older = query(EventPosition::Before(id), limit - limit / 2);
        let (newer, older) = (
            events::search(&self.db, newer).await?,
            events::search(&self.db, older).await?,
        );
        let found = FoundEvents {
            events: [newer.events, older.events].concat(),
            next: older.next,
            previous: newer.previous,
            more: older.more.or(newer.more),
        };
        let page = self.page(found, &filter).await?;
        Ok((filter, page))
    }

    /// Returns a filter with its spans before now as times.
    #[must_use]
    pub fn fix_times(&self, filter: &EventFilter) -> EventFilter {
        filter.at(self.clock.now())
    }

    /// Finds an event with those whom it concerns.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such event; [`Error::Unavailable`] when the database
    /// doesn't respond.
    pub async fn get_event(&self, id: EventId) -> Result<LoggedEvent> {
        let event = events::find(&self.db, id).await?.ok_or(Error::NotFound)?;
        let named = self.db.read(move |c| name_all(c, vec![event])).await?;
        named.into_iter().next().ok_or(Error::NotFound)
    }

    /// Returns the criteria of a filter; `None` when it names somebody who doesn't exist.
    async fn resolve(&self, filter: &EventFilter) -> Result<Option<EventCriteria>> {
        let (filter, now) = (filter.clone(), self.clock.now());
        self.db.read(move |c| resolve(c, &filter, now)).await
    }

    async fn page(&self, found: FoundEvents, filter: &EventFilter) -> Result<EventLogPage> {
        let named = self.db.read(move |c| name_all(c, found.events)).await?;
        let key = filter.list_key();
        let encode = |position: EventPosition| key.seal(&position);
        Ok(EventLogPage {
            events: named,
            next: found.next.map(encode),
            previous: found.previous.map(encode),
            more: found.more.map(encode),
        })
    }
}

impl EventFilter {
    /// Returns the filter of the time around `at`.
    fn around(at: Timestamp, span: Duration) -> Self {
        use crate::listing::TimeBound::At;

        // A bound includes its first millisecond and excludes the other's.
        let millisecond = Duration::from_millis(1);
        Self {
            from: Some(At(at - span)),
            to: Some(At(at + span + millisecond)),
            ..Self::default()
        }
    }

    fn bounds(&self, now: Timestamp) -> EventBounds {
        EventBounds {
            from: self.from.map(|at| EventId::first_at(at.resolve(now))),
            before: self.to.map(|at| EventId::first_at(at.resolve(now))),
        }
    }
}

fn resolve(
    c: &mut AnyConnection,
    filter: &EventFilter,
    now: Timestamp,
) -> Result<Option<EventCriteria>> {
    let kinds = match (filter.kind.map(EventKinds::list), filter.reason) {
        (Some(kinds), None) => kinds,
        (Some(kinds), Some(_)) if !kinds.contains(&EventKind::Ended) => return Ok(None),
        (_, Some(_)) => vec![EventKind::Ended],
        (None, None) => Vec::new(),
    };
    let mut criteria = EventCriteria {
        users: Vec::new(),
        by: Vec::new(),
        application: None,
        kinds,
        session: filter.session,
        job: filter.job,
        ip: filter.ip.map(IpFilter::keys),
        detail: filter.reason.map(EndedReason::as_str),
        text: filter.q.clone(),
        bounds: filter.bounds(now),
    };
    for (name, ids) in [
        (&filter.user, &mut criteria.users),
        (&filter.by, &mut criteria.by),
    ] {
        if let Some(name) = name {
            *ids = list_people(c, name)?;
            if ids.is_empty() {
                return Ok(None);
            }
        }
    }
    if let Some(name) = &filter.application {
        match find_application(c, name)? {
            Some(found) => criteria.application = Some(found),
            None => return Ok(None),
        }
    }
    Ok(Some(criteria))
}

/// Lists the people with that e-mail; several may have one that their applications state. An id is
/// taken as it is: events by a person whose account was deleted have it still.
fn list_people(c: &mut AnyConnection, email_or_id: &str) -> Result<Vec<UserId>> {
    if let Ok(id) = email_or_id.parse() {
        return Ok(vec![id]);
    }
    let mut people = people::list_by_stated_email(c, &email_or_id.to_lowercase())?;
    if let Ok(email) = email_or_id.parse() {
        people.extend(people::find_by_email(c, &email)?.map(|user| user.id));
    }
    Ok(distinct(people.into_iter().map(Some)))
}

/// Finds the id of the application with that name. An id is taken as it is, as that of a person.
fn find_application(c: &mut AnyConnection, name_or_id: &str) -> Result<Option<ApplicationId>> {
    match name_or_id.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => applications::store::find_application_id(c, name_or_id),
    }
}

/// Returns events with those whom they concern, in the same order.
fn name_all(c: &mut AnyConnection, events: Vec<Event>) -> Result<Vec<LoggedEvent>> {
    let users = events
        .iter()
        .flat_map(|event| [event.user_id, event.by_user_id]);
    let users: Vec<UserId> = distinct(users);
    let users: HashMap<UserId, User> = people::list_by_ids(c, &users)?
        .into_iter()
        .map(|user| (user.id, user))
        .collect();
    let ids: Vec<SessionId> = distinct(events.iter().map(|event| event.session_id));
    let sessions: HashMap<SessionId, Session> = sessions::list_by_ids(c, &ids)?
        .into_iter()
        .map(|session| (session.id, session))
        .collect();
    let ids: Vec<ApplicationId> = distinct(events.iter().map(|event| event.by_application_id));
    let applications: HashMap<ApplicationId, Application> =
        applications::store::list_by_ids(c, &ids)?
            .into_iter()
            .map(|application| (application.id, application))
            .collect();
    let named = |event: Event| {
        let by = event.by_user_id.and_then(|id| users.get(&id)).cloned();
        let owner = event.user_id.and_then(|id| users.get(&id)).cloned();
        LoggedEvent {
            session: event.session_id.and_then(|id| sessions.get(&id)).cloned(),
            application: event
                .by_application_id
                .and_then(|id| applications.get(&id))
                .cloned(),
            event: redacted(event, owner.as_ref(), by.as_ref()),
            owner,
            by,
        }
    };
    Ok(events.into_iter().map(named).collect())
}

fn redacted(event: Event, owner: Option<&User>, by: Option<&User>) -> Event {
    Event {
        ip_address: match (event.kind, owner) {
            // Of the deleted person nothing but the id is recorded: the address is the doer's.
            (EventKind::AccountDeleted, _) => by.and_then(|by| event_address(&event, by, Some(by))),
            (_, Some(owner)) => event_address(&event, owner, by),
            // Nobody is known who may want less of it stored, except who did it.
            (_, None) => match (event.user_id, event.by_user_id) {
                (None, None) => event.ip_address.clone(),
                (None, Some(_)) => by.and_then(|by| event_address(&event, by, Some(by))),
                (Some(_), _) => None,
            },
        },
        ..event
    }
}

/// Returns the address that an event was done from, redacted by the retention of its person and of
/// who did it: what others did to a person is recorded with an address of theirs. Where an account is
/// deleted, nobody knows its retention any more, and there is no address.
#[must_use]
pub fn event_address(event: &Event, owner: &User, by: Option<&User>) -> Option<String> {
    let by = match event.by_user_id {
        Some(_) => by?,
        None => owner,
    };
    let ip = owner.ip_retention.redact(event.ip_address.as_deref()?)?;
    by.ip_retention.redact(&ip)
}

fn distinct<T: Ord>(ids: impl Iterator<Item = Option<T>>) -> Vec<T> {
    let ids: std::collections::BTreeSet<T> = ids.flatten().collect();
    ids.into_iter().collect()
}
