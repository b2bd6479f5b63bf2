//! Changes as they happen, on whichever node: each node that somebody listens on looks a few times a
//! second for new events, and passes them on. A page told so is never more than a hint; what it then
//! shows comes from the rows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::change::Change;
use super::store;
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, EventId, UserId};
use crate::error::Result;

/// Changes that a listener may be behind; one further behind is told that it missed some.
const CAPACITY: usize = 1024;
/// Looked back at every look: what other nodes' clocks, or a slow commit, may put an event behind.
const OVERLAP: Duration = Duration::from_secs(10);

/// The changes of a node; a clone is the same.
#[derive(Clone)]
pub struct Changes {
    db: Db,
    clock: Clock,
    /// None once the node stops.
    sender: Arc<Mutex<Option<broadcast::Sender<Change>>>>,
    published: Arc<Mutex<HashSet<EventId>>>,
}

impl Changes {
    /// The changes in `db`.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            sender: Arc::new(Mutex::new(Some(broadcast::Sender::new(CAPACITY)))),
            published: Arc::default(),
        }
    }

    /// Changes from now on; none when the node is stopping.
    #[must_use]
    pub fn subscribe(&self) -> Option<broadcast::Receiver<Change>> {
        self.sender().map(|sender| sender.subscribe())
    }

    /// Whether something happened to a person after `since`.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn has_changed_since(&self, user: UserId, since: Timestamp) -> Result<bool> {
        let after = EventId::first_at(since - OVERLAP);
        let changes = self
            .db
            .read(move |c| store::list_changes_after(c, Some(user), after))
            .await?;
        Ok(changes.iter().any(|(_, change)| change.at > since))
    }

    /// Looks for what is new and passes it on, if anybody listens. Answers how many listen.
    ///
    /// # Errors
    /// When the database doesn't answer.
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

    /// Ends every listener's stream, as the node stops.
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
