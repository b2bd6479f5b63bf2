//! Publishes changes as they happen, on any node: each node with listeners polls the database for
//! new events a few times a second. A change is only a hint that a page is out of date; what the
//! page then shows is read from the database.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::change::Change;
use super::listeners::{ListenerPlace, Listeners};
use super::store;
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, EventId, SessionId, UserId};
use crate::error::{Error, Failure, Result};

/// Changes that a listener may lag behind; one that lags further misses the oldest, and gets an
/// error that says so.
const CAPACITY: usize = 1024;
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
    /// The events published within [`OVERLAP`], so that none is published twice.
    published: Arc<Mutex<HashSet<EventId>>>,
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

    /// Subscribes a page of a session to the changes from now on. Beyond a few of one session, it
    /// takes the place of the oldest.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the node is stopping; [`Error::Busy`] when it has no place.
    pub fn subscribe(&self, session: SessionId) -> Result<Subscription> {
        let stopping = || Error::Unavailable(Failure::because("the service is stopping"));
        let changes = self.sender().ok_or_else(stopping)?.subscribe();
        let place = self.listeners.add(session).ok_or(FULL)?;
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

    /// Returns whether a person's account or sessions changed after `since`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn has_changed_since(&self, user: UserId, since: Timestamp) -> Result<bool> {
        let after = EventId::first_at(since - OVERLAP);
        let changes = self
            .db
            .read(move |c| store::list_changes_after(c, Some(user), after))
            .await?;
        Ok(changes.iter().any(|(_, change)| change.at > since))
    }

    /// Publishes the changes that are new, if there are listeners. Returns how many listeners there
    /// are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn poll(&self) -> Result<usize> {
        let Some(sender) = self.sender().filter(|sender| sender.receiver_count() > 0) else {
            return Ok(0);
        };
        let after = EventId::first_at(self.clock.now() - OVERLAP);
        let found = self
            .db
            .read(move |c| store::list_changes_after(c, None, after))
            .await?;
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        published.retain(|id| *id > after);
        for (id, change) in found {
            if published.insert(id) && sender.send(change).is_err() {
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
