//! The pages that listen for changes, counted: so many of one session, so many on the node.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::db::{SessionId, UserId};

/// The most listeners of one session. Only visible pages listen, and few windows are visible at
/// once; one more takes the place of the oldest.
const MAX_PER_SESSION: usize = 4;

/// The listeners of a node; clones share them.
#[derive(Clone)]
pub(super) struct Listeners {
    max: usize,
    registry: Arc<Mutex<Registry>>,
}

/// Bounded by `max`: a session is in it only while it has a listener.
#[derive(Default)]
struct Registry {
    count: usize,
    next_id: u64,
    by_session: HashMap<SessionId, VecDeque<Entry>>,
}

struct Entry {
    id: u64,
    /// The session's owner.
    user: UserId,
    /// Notifies the listener that another one took its place.
    replaced: oneshot::Sender<()>,
}

/// The place of a listener, which is free again when this is dropped.
pub struct ListenerPlace {
    registry: Arc<Mutex<Registry>>,
    session: SessionId,
    id: u64,
    replaced: oneshot::Receiver<()>,
}

impl Listeners {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            registry: Arc::default(),
        }
    }

    /// Returns whether another listener of the session has a place.
    pub(super) fn has_room(&self, session: SessionId) -> bool {
        lock(&self.registry).has_room(self.max, session)
    }

    /// Returns the sessions that have a listener, with their owners.
    pub(super) fn sessions(&self) -> HashMap<SessionId, UserId> {
        let registry = lock(&self.registry);
        let first = |(session, entries): (&SessionId, &VecDeque<Entry>)| {
            Some((*session, entries.front()?.user))
        };
        registry.by_session.iter().filter_map(first).collect()
    }

    /// Adds a listener of a session of `user`, perhaps in place of its oldest; `None` when the node has no
    /// place.
    pub(super) fn add(&self, user: UserId, session: SessionId) -> Option<ListenerPlace> {
        let mut registry = lock(&self.registry);
        if !registry.has_room(self.max, session) {
            return None;
        }
        let id = registry.next_id;
        registry.next_id = registry.next_id.wrapping_add(1);
        let (sender, replaced) = oneshot::channel();
        let entries = registry.by_session.entry(session).or_default();
        let oldest = match entries.len() >= MAX_PER_SESSION {
            true => entries.pop_front(),
            false => None,
        };
        entries.push_back(Entry {
            id,
            user,
            replaced: sender,
        });
        match oldest {
            // Its own place is gone with its entry.
            Some(oldest) => drop(oldest.replaced.send(())),
            None => registry.count += 1,
        }
        Some(ListenerPlace {
            registry: self.registry.clone(),
            session,
            id,
            replaced,
        })
    }
}

impl Registry {
    fn has_room(&self, max: usize, session: SessionId) -> bool {
        let own = self.by_session.get(&session).map_or(0, VecDeque::len);
        own >= MAX_PER_SESSION || self.count < max
    }
}

impl ListenerPlace {
    /// Waits until another listener takes this place. Must not be called again after that.
    pub async fn replaced(&mut self) {
        // The entry is removed only by the one that replaces it, or with this place.
        let _ = (&mut self.replaced).await;
    }
}

impl Drop for ListenerPlace {
    fn drop(&mut self) {
        let mut registry = lock(&self.registry);
        let Some(entries) = registry.by_session.get_mut(&self.session) else {
            return;
        };
        let before = entries.len();
        entries.retain(|entry| entry.id != self.id);
        let removed = before - entries.len();
        if entries.is_empty() {
            registry.by_session.remove(&self.session);
        }
        registry.count = registry.count.saturating_sub(removed);
    }
}

fn lock(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: u8) -> SessionId {
        SessionId::from_bytes([n; 16])
    }

    fn user() -> UserId {
        UserId::from_bytes([7; 16])
    }

    fn count(listeners: &Listeners) -> (usize, usize) {
        let registry = lock(&listeners.registry);
        let entries = registry.by_session.values().map(VecDeque::len).sum();
        (registry.count, entries)
    }

    #[test]
    fn places_are_free_again() {
        let listeners = Listeners::new(3);
        let places: Vec<_> = (0..3)
            .map(|n| listeners.add(user(), session(n)).unwrap())
            .collect();
        assert!(listeners.add(user(), session(9)).is_none());
        assert!(!listeners.has_room(session(0)));
        assert_eq!(count(&listeners), (3, 3));
        drop(places);
        assert_eq!(count(&listeners), (0, 0));
        assert!(lock(&listeners.registry).by_session.is_empty());
    }

    #[test]
    fn the_oldest_of_a_session_makes_room() {
        let listeners = Listeners::new(MAX_PER_SESSION);
        let mut places: Vec<_> = (0..MAX_PER_SESSION)
            .map(|_| listeners.add(user(), session(1)).unwrap())
            .collect();
        assert!(listeners.has_room(session(1)));
        let newest = listeners.add(user(), session(1)).unwrap();
        assert!(places[0].replaced.try_recv().is_ok());
        assert!(places[1].replaced.try_recv().is_err());
        assert_eq!(count(&listeners), (MAX_PER_SESSION, MAX_PER_SESSION));
        drop(places);
        assert_eq!(count(&listeners), (1, 1));
        drop(newest);
        assert_eq!(count(&listeners), (0, 0));
    }
}
