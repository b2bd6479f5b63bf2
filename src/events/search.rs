//! The security log: finding events of all people, newest first, in pages that go on from an id.
//!
//! Every query reads a range of one index: that of the part of the criteria with the fewest events, in
//! the order of the ids. What the other parts leave of it is found in chunks, until the page is full or
//! the time is up; then the page says where to go on. An address range with few events is read as a
//! whole, since its index is in another order; one with many is searched for in the log.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::criteria::{EventBounds, EventCriteria, EventOrder, successor};
use super::store::{self, Event};
use crate::db::{AnyConnection, Db, EventId};
use crate::error::Result;
use crate::listing::{CursorContent, MatchCount};

/// Ids of an index that one query reads.
const CHUNK: usize = 5_000;
/// Events that one query finds by their ids.
const LISTED_CHUNK: usize = 500;
/// The events that are read to count them.
const MAX_COUNTED: usize = 10_000;
/// The most events of an address range that are read as a whole.
const MAX_LISTED: usize = 10_000;

/// Where a page begins, and in which direction it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventPosition {
    /// At the newest event before this id; older ones follow.
    Before(EventId),
    /// At the oldest event with this id or a greater one; newer ones follow.
    From(EventId),
}

impl CursorContent for EventPosition {
    fn write(&self, bytes: &mut Vec<u8>) {
        let (direction, id) = match self {
            Self::Before(id) => (0, id),
            Self::From(id) => (1, id),
        };
        bytes.push(direction);
        bytes.extend(id.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (direction, id) = bytes.split_first()?;
        let id = EventId::from_bytes(id.try_into().ok()?);
        match direction {
            0 => Some(Self::Before(id)),
            1 => Some(Self::From(id)),
            _ => None,
        }
    }
}

/// A page to be found.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// Which events.
    pub criteria: EventCriteria,
    /// Where it begins; `None` for the newest event.
    pub position: Option<EventPosition>,
    /// The most events.
    pub limit: u32,
    /// How long to search at most. What was found by then is the page.
    pub budget: Duration,
}

/// A page of the security log, newest event first.
#[derive(Debug, Clone, Default)]
pub struct FoundEvents {
    /// The events.
    pub events: Vec<Event>,
    /// Where the page of older events begins, if there are any.
    pub next: Option<EventPosition>,
    /// Where the page of newer events begins, if there may be any.
    pub previous: Option<EventPosition>,
    /// Where to go on, if the time was up before the page was full.
    pub more: Option<EventPosition>,
}

/// Finds a page of events.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn search(db: &Db, query: EventQuery) -> Result<FoundEvents> {
    let deadline = deadline(query.budget);
    let limit = query.limit as usize;
    let mut walk = Walk::begin(db, &query).await?;
    let mut events = Vec::new();
    let mut is_partial = false;
    while events.len() <= limit && !walk.is_over {
        // The first chunk is always read.
        if is_past(deadline) && walk.has_begun {
            is_partial = true;
            break;
        }
        let missing = limit + 1 - events.len();
        let (found, after) = db.search(move |c| walk.advance(c, missing)).await?;
        events.extend(found);
        walk = after;
    }
    let has_more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().map(|event| event.id);
    let reached = match has_more {
        true => last.map(|last| walk.beyond(last)),
        false => is_partial.then(|| walk.position()),
    };
    let more = reached.filter(|_| is_partial);
    Ok(FoundEvents {
        more,
        ..page(query.position, events, reached)
    })
}

/// Counts the events that meet the criteria: at least so many, where more than 10,000 would have to be
/// read.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn count(db: &Db, criteria: EventCriteria) -> Result<MatchCount> {
    let work = move |c: &mut AnyConnection| {
        let (bounds, order) = (criteria.bounds, EventOrder::NewestFirst);
        let (limit, driver) = (MAX_COUNTED as i64 + 1, criteria.driver());
        let read = store::list_ids(c, &driver, bounds, order, limit)?;
        let all = criteria.without_bounds();
        if driver == all {
            return Ok(MatchCount::up_to(MAX_COUNTED, read.len()));
        }
        let is_whole = read.len() <= MAX_COUNTED;
        let within = match read.last().filter(|_| !is_whole) {
            Some(last) => bounds.and(EventBounds {
                from: Some(*last),
                before: None,
            }),
            None => bounds,
        };
        let found = store::list_ids(c, &all, within, order, limit)?.len();
        Ok(MatchCount::of(found.min(MAX_COUNTED) as u64, is_whole))
    };
    db.search(work).await
}

/// Returns the page of the events in the order in which they were found.
fn page(
    position: Option<EventPosition>,
    mut events: Vec<Event>,
    reached: Option<EventPosition>,
) -> FoundEvents {
    let is_backwards = matches!(position, Some(EventPosition::From(_)));
    if is_backwards {
        events.reverse();
    }
    let (newest, oldest) = (events.first(), events.last());
    let (next, previous) = match position {
        Some(EventPosition::From(from)) => {
            let next = oldest.map_or(from, |event| event.id);
            (Some(EventPosition::Before(next)), reached)
        }
        Some(EventPosition::Before(before)) => {
            let previous = newest.map_or(before, |event| successor(event.id));
            (reached, Some(EventPosition::From(previous)))
        }
        None => (reached, None),
    };
    FoundEvents {
        events,
        next,
        previous,
        more: None,
    }
}

/// A search as far as it has come.
struct Walk {
    criteria: EventCriteria,
    driver: EventCriteria,
    /// Of a small address range, the ids that remain, in order.
    listed: Option<VecDeque<EventId>>,
    order: EventOrder,
    /// What remains to be searched.
    bounds: EventBounds,
    has_begun: bool,
    is_over: bool,
}

impl Walk {
    async fn begin(db: &Db, query: &EventQuery) -> Result<Self> {
        let (order, beginning) = match query.position {
            None => (EventOrder::NewestFirst, EventBounds::default()),
            Some(EventPosition::Before(before)) => {
                let before = Some(before);
                (EventOrder::NewestFirst, EventBounds { before, from: None })
            }
            Some(EventPosition::From(from)) => {
                let from = Some(from);
                (EventOrder::OldestFirst, EventBounds { from, before: None })
            }
        };
        let criteria = query.criteria.without_bounds();
        let driver = criteria.driver();
        let bounds = query.criteria.bounds.and(beginning);
        Ok(Self {
            listed: list_network(db, &criteria, &driver, bounds, order).await?,
            criteria,
            driver,
            order,
            bounds,
            has_begun: false,
            is_over: false,
        })
    }

    /// Reads the next chunk. Returns at most `missing` of the events in it, and the walk behind it.
    fn advance(mut self, c: &mut AnyConnection, missing: usize) -> Result<(Vec<Event>, Self)> {
        self.has_begun = true;
        let limit = i64::try_from(missing).unwrap_or(i64::MAX);
        if let Some(listed) = &mut self.listed {
            let ids: Vec<EventId> = listed.drain(..LISTED_CHUNK.min(listed.len())).collect();
            self.is_over = listed.is_empty();
            self.move_beyond(ids.last().copied());
            let found = store::list_by_ids(c, &self.criteria, ids, self.order)?;
            return Ok((found, self));
        }
        if self.driver == self.criteria {
            self.is_over = true;
            let found = store::list_matching(c, &self.criteria, self.bounds, self.order, limit)?;
            return Ok((found, self));
        }
        let chunk = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let ids = store::list_ids(c, &self.driver, self.bounds, self.order, chunk)?;
        self.is_over = ids.len() < CHUNK;
        let Some(last) = ids.last().copied() else {
            return Ok((Vec::new(), self));
        };
        let chunk = self.up_to(last);
        self.move_beyond(Some(last));
        let found = store::list_matching(c, &self.criteria, chunk, self.order, limit)?;
        Ok((found, self))
    }

    /// Returns what remains, up to `last`, which is included.
    fn up_to(&self, last: EventId) -> EventBounds {
        let end = match self.order {
            EventOrder::NewestFirst => EventBounds {
                from: Some(last),
                before: None,
            },
            EventOrder::OldestFirst => EventBounds {
                from: None,
                before: Some(successor(last)),
            },
        };
        self.bounds.and(end)
    }

    fn move_beyond(&mut self, last: Option<EventId>) {
        match (last, self.order) {
            (None, _) => {}
            (Some(last), EventOrder::NewestFirst) => self.bounds.before = Some(last),
            (Some(last), EventOrder::OldestFirst) => self.bounds.from = Some(successor(last)),
        }
    }

    /// Returns the position behind the event with the id `last`.
    fn beyond(&self, last: EventId) -> EventPosition {
        match self.order {
            EventOrder::NewestFirst => EventPosition::Before(last),
            EventOrder::OldestFirst => EventPosition::From(successor(last)),
        }
    }

    /// Returns the position behind what was searched.
    fn position(&self) -> EventPosition {
        let least = || EventId::from_bytes([0; 16]);
        let greatest = || EventId::from_bytes([u8::MAX; 16]);
        match self.order {
            EventOrder::NewestFirst => {
                EventPosition::Before(self.bounds.before.unwrap_or_else(greatest))
            }
            EventOrder::OldestFirst => EventPosition::From(self.bounds.from.unwrap_or_else(least)),
        }
    }
}

/// Returns the ids of an address range's events within `bounds`, where the range drives the search
/// and has few.
async fn list_network(
    db: &Db,
    criteria: &EventCriteria,
    driver: &EventCriteria,
    bounds: EventBounds,
    order: EventOrder,
) -> Result<Option<VecDeque<EventId>>> {
    let is_needed = driver.is_kind_or_all() && criteria.ip.is_some();
    let Some(range) = criteria.ip.clone().filter(|_| is_needed) else {
        return Ok(None);
    };
    let limit = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let mut ids = db
        .search(move |c| store::list_ids_in_network(c, &range, limit + 1))
        .await?;
    if ids.len() > MAX_LISTED {
        return Ok(None);
    }
    ids.retain(|id| bounds.contains(*id));
    match order {
        EventOrder::NewestFirst => ids.sort_by(|a, b| b.cmp(a)),
        EventOrder::OldestFirst => ids.sort(),
    }
    Ok(Some(ids.into()))
}

#[expect(clippy::disallowed_methods, reason = "it bounds work, and is no rule")]
fn deadline(budget: Duration) -> Option<Instant> {
    Instant::now().checked_add(budget)
}

#[expect(clippy::disallowed_methods, reason = "it bounds work, and is no rule")]
fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}
