//! Publishes changes as they happen, on any node: each node with listeners polls the database for
//! new events a few times a second. A change is only a hint that a page is out of date; what the
//! page then shows is read from the database.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::EventKind;
use super::change::Change;
use super::listeners::{ListenerPlace, Listeners};
use super::store::{self, MAX_CHANGES};
use crate::clock::{Clock, Timestamp};
use crate::db::{AnyConnection, Db, EventId, SessionId, UserId};
use crate::error::{Error, Failure, Result};

/// Changes that a listener may lag behind; one that lags further misses the oldest, and gets an
/// error that says so.
const CAPACITY: usize = 1024;
/// People whose changes one query finds.
const PEOPLE_CHUNK: usize = 500;
/// How far each poll looks back: the delay that another node's clock or a slow commit may cause.
const OVERLAP: Duration = Duration::from_secs(10);
/// The error for a listener beyond the most that the node has.
const FULL: Error = Error::Busy {
    retry_after: Duration::from_secs(30),
};

/// The changes that a node publishes; clones share its listeners.
#[derive(Clone)]
pub struct Changes {
    db: Db,
    clock: Clock,
    /// `None` once the node stops.
    sender: Arc<Mutex<Option<broadcast::Sender<Change>>>>,
    /// The events within [`OVERLAP`] that were published, so that none is published twice: a counted one
    /// once for each time that it happened.
    published: Arc<Mutex<HashSet<(EventId, Timestamp, i32)>>>,
    listeners: Listeners,
}

/// What a listener receives, and its place among the listeners.
pub struct Subscription {
    /// The changes from now on.
    pub changes: broadcast::Receiver<Change>,
    /// The place, which another listener of the session may take.
    pub place: ListenerPlace,
}

impl Changes {
    /// Returns the changes in `db`, for at most `max_listeners` at once.
    #[must_use]
    pub fn new(db: Db, clock: Clock, max_listeners: usize) -> Self {
        Self {
            db,
            clock,
            sender: Arc::new(Mutex::new(Some(broadcast::Sender::new(CAPACITY)))),
            published: Arc::default(),
            listeners: Listeners::new(max_listeners),
        }
    }

    /// Subscribes a page of a session of `user` to the changes from now on. Beyond a few of one session, it
    /// takes the place of the oldest.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the node is stopping; [`Error::Busy`] when it has no place.
    pub fn subscribe(&self, user: UserId, session: SessionId) -> Result<Subscription> {
        let stopping = || Error::Unavailable(Failure::because("the service is stopping"));
        let changes = self.sender().ok_or_else(stopping)?.subscribe();
        let place = self.listeners.add(user, session).ok_or(FULL)?;
        Ok(Subscription { changes, place })
    }

    /// Verifies that a page of the session could subscribe.
    ///
    /// # Errors
    /// [`Error::Busy`] when the node has no place.
    pub fn require_room(&self, session: SessionId) -> Result<()> {
        match self.listeners.has_room(session) {
            true => Ok(()),
            false => Err(FULL),
        }
    }

    /// Counts the changes of a person from shortly before `at` on that can be read by now: those that a
    /// page shows which is read afterwards. Of what is counted in one row, each time is a change. So an act
    /// that began before, and is committed after, is one more ([`Changes::has_changed`]), and one of a node
    /// whose clock is ahead is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn count_seen(&self, user: UserId, at: Timestamp) -> Result<usize> {
        Ok(count(&self.list_recent(user, at).await?))
    }

    /// Returns whether a person's account or sessions changed since a page was read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn has_changed(&self, user: UserId, page: PageState) -> Result<bool> {
        let recent = self.list_recent(user, page.at).await?;
        Ok(match page.seen {
            Some(seen) => count(&recent) != seen,
            None => recent.iter().any(|change| change.at > page.at),
        })
    }

    /// Lists the changes of a person from shortly before `at` on.
    async fn list_recent(&self, user: UserId, at: Timestamp) -> Result<Vec<Change>> {
        let since = at - OVERLAP;
        self.db
            .read(move |c| {
                let once = store::list_changes_after(c, Some(user), EventId::first_at(since))?;
                let counted = store::list_counted_changes_of(c, &[user], since)?;
                let recent = once.into_iter().chain(counted);
                Ok(recent.map(|(_, change)| change).collect())
            })
            .await
    }

    /// Publishes the changes that are new of the people who have listeners, if there are any: what
    /// happens to others, as when a bulk job ends thousands of sessions, neither delays those nor has
    /// them miss any. Returns how many listeners there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn poll(&self) -> Result<usize> {
        let Some(sender) = self.sender().filter(|sender| sender.receiver_count() > 0) else {
            return Ok(0);
        };
        let since = self.clock.now() - OVERLAP;
        let listening = self.listeners.sessions();
        let people: BTreeSet<UserId> = listening.values().copied().collect();
        let found = self.db.read(move |c| list_news(c, &people, since)).await?;
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Those that the next polls may find again, by the millisecond of their ids.
        let earliest = since - Duration::from_millis(1);
        published.retain(|(_, at, _)| *at >= earliest);
        let is_new =
            |(id, change): &(EventId, Change)| published.insert((*id, change.at, change.times));
        let new = found.into_iter().filter(is_new);
        for change in without_repetitions(new.map(|(_, change)| change), &listening) {
            if sender.send(change).is_err() {
                break;
            }
        }
        Ok(sender.receiver_count())
    }

    /// Ends every listener's stream. Called when the node stops.
    pub fn close(&self) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn sender(&self) -> Option<broadcast::Sender<Change>> {
        self.sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What an open page knows of the changes to its person.
#[derive(Debug, Clone, Copy)]
pub struct PageState {
    /// When it was requested.
    pub at: Timestamp,
    /// How many changes from shortly before that on it could show, if they were counted.
    pub seen: Option<usize>,
}

/// Returns how often something changed.
fn count(changes: &[Change]) -> usize {
    let times = |change: &Change| usize::try_from(change.times).unwrap_or_default();
    changes.iter().map(times).sum()
}

/// Lists the changes of these people after `since`. Where there are more of all people than one query
/// reads, those of these alone are read.
fn list_news(
    c: &mut AnyConnection,
    people: &BTreeSet<UserId>,
    since: Timestamp,
) -> Result<Vec<(EventId, Change)>> {
    let after = EventId::first_at(since);
    let mut found = store::list_changes_after(c, None, after)?;
    let is_full = found.len() >= MAX_CHANGES as usize;
    found.retain(|(_, change)| !is_full && people.contains(&change.user));
    let people: Vec<UserId> = people.iter().copied().collect();
    for chunk in people.chunks(PEOPLE_CHUNK) {
        if is_full {
            found.extend(store::list_latest_changes_of(c, chunk, after)?);
        }
        found.extend(store::list_counted_changes_of(c, chunk, since)?);
    }
    Ok(found)
}

/// Returns the changes without those that say the same as a later one: a page is out of date once,
/// however many sessions of its person ended. That one of those with a listener did, it must know.
fn without_repetitions(
    changes: impl Iterator<Item = Change>,
    listening: &HashMap<SessionId, UserId>,
) -> Vec<Change> {
    let mut distinct: Vec<Change> = Vec::new();
    let mut positions: HashMap<(UserId, Option<SessionId>), usize> = HashMap::new();
    for change in changes {
        let is_own_end = |session: &SessionId| {
            change.kind == EventKind::Ended && listening.contains_key(session)
        };
        let position = positions
            .entry((change.user, change.session.filter(is_own_end)))
            .or_insert(distinct.len());
        match distinct.get_mut(*position) {
            Some(earlier) => *earlier = change,
            None => distinct.push(change),
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ends_of_one_person_are_one_change() {
        let user = |n| UserId::from_bytes([n; 16]);
        let session = |n| SessionId::from_bytes([n; 16]);
        let ended = |of, n| Change {
            user: user(of),
            session: Some(session(n)),
            kind: EventKind::Ended,
            at: Timestamp::clamped(i64::from(n)),
            times: 1,
        };
        let listening = HashMap::from([(session(3), user(1)), (session(9), user(2))]);
        let changes = [
            ended(1, 1),
            ended(1, 2),
            ended(1, 3),
            ended(2, 8),
            ended(1, 4),
        ];
        let found = without_repetitions(changes.into_iter(), &listening);
        let found: Vec<_> = found.iter().map(|change| change.session).collect();
        assert_eq!(
            found,
            [Some(session(4)), Some(session(3)), Some(session(8))]
        );
    }
}
