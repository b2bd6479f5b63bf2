//! Following the security log: the events that are new since the last poll.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{EventFilter, LoggedEvent, name_all};
use crate::account::Accounts;
use crate::clock::Timestamp;
use crate::db::EventId;
use crate::error::Result;
use crate::events::{self, EventBounds, EventCriteria};

/// Ids that one query reads.
const CHUNK: u32 = 10_000;
/// Events that are named at once.
const NAMED_CHUNK: usize = 500;

/// The log as far as it was read. An id has the time of its event, and an event is committed later, on
/// another node or by the sweep: each poll looks back over `overlap`, and returns no event twice.
pub struct EventFollower {
    accounts: Accounts,
    filter: EventFilter,
    overlap: Duration,
    /// The last poll that succeeded.
    polled: Timestamp,
    /// The events within the overlap that were returned, or were there at the start: as many as
    /// happen in it.
    known: BTreeSet<EventId>,
}

impl EventFollower {
    /// Begins to follow the events that the filter finds. Those that are there already are known.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn begin(accounts: Accounts, filter: EventFilter, overlap: Duration) -> Result<Self> {
        let mut follower = Self {
            polled: accounts.clock.now(),
            accounts,
            filter,
            overlap,
            known: BTreeSet::new(),
        };
        follower.find_new().await?;
        Ok(follower)
    }

    /// Regards an event as returned.
    pub fn mark_known(&mut self, id: EventId) {
        self.known.insert(id);
    }

    /// Returns the events that are new since the last poll that succeeded, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond. Then the
    /// next poll returns them.
    pub async fn poll(&mut self) -> Result<Vec<LoggedEvent>> {
        let before = (self.polled, self.known.clone());
        let new = self.find_new().await?;
        let named = self.name(&new).await;
        if named.is_err() {
            (self.polled, self.known) = before;
        }
        named
    }

    /// Returns the ids that are new, and regards them as known.
    async fn find_new(&mut self) -> Result<Vec<EventId>> {
        let now = self.accounts.clock.now();
        let Some(criteria) = self.accounts.resolve(&self.filter).await? else {
            return Ok(Vec::new());
        };
        let since = EventId::first_at(self.polled.min(now) - self.overlap);
        let found = self.list_since(criteria, since).await?;
        self.polled = now;
        self.known = self.known.split_off(&since);
        let new = found.into_iter().filter(|id| self.known.insert(*id));
        Ok(new.collect())
    }

    async fn list_since(&self, criteria: EventCriteria, since: EventId) -> Result<Vec<EventId>> {
        let mut found: Vec<EventId> = Vec::new();
        let mut from = since;
        loop {
            let bounds = criteria.bounds.and(EventBounds {
                from: Some(from),
                before: None,
            });
            let ids = events::list_ids(&self.accounts.db, criteria.clone(), bounds, CHUNK).await?;
            let is_last = ids.len() < CHUNK as usize;
            // The first one of the next chunk is the last one of this.
            let last = ids.last().copied();
            found.extend(ids);
            match last.filter(|last| !is_last && *last != from) {
                Some(last) => from = last,
                None => return Ok(found),
            }
        }
    }

    async fn name(&self, ids: &[EventId]) -> Result<Vec<LoggedEvent>> {
        let mut named = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(NAMED_CHUNK) {
            let events = events::list_by_ids(&self.accounts.db, chunk.to_vec()).await?;
            named.extend(self.accounts.db.read(move |c| name_all(c, events)).await?);
        }
        Ok(named)
    }
}
