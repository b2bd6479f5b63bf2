//! The keys of one kind, and which of them is in use.

use crate::clock::Timestamp;
use crate::error::{Error, Failure, Result};

/// The keys of one kind, newest first; never empty.
pub struct KeySet<K> {
    newest: Entry<K>,
    older: Vec<Entry<K>>,
}

/// A key, and the time from which it is used.
pub(super) struct Entry<K> {
    pub(super) used_from: Timestamp,
    pub(super) key: K,
}

impl<K> KeySet<K> {
    /// Returns the set of `keys`, which are newest first.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is none.
    pub(super) fn new(keys: Vec<Entry<K>>) -> Result<Self> {
        let mut keys = keys.into_iter();
        let newest = keys
            .next()
            .ok_or(Error::Internal(Failure::because("there is no key")))?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }

    /// Returns the key that signs or seals at `now`.
    #[must_use]
    pub fn in_use(&self, now: Timestamp) -> &K {
        let entry = |index| self.entries().nth(index);
        let times = self.entries().map(|entry| entry.used_from);
        let found = index_in_use(times, now).and_then(entry);
        &found.unwrap_or(&self.newest).key
    }

    /// Lists the keys that were or may have been in use since `since`, newest first: all but those
    /// that a newer one had replaced before.
    pub(super) fn used_since(&self, since: Timestamp) -> impl Iterator<Item = &K> {
        let times = self.entries().map(|entry| entry.used_from);
        let oldest = index_in_use(times, since).unwrap_or_default();
        self.iter().take(oldest.saturating_add(1))
    }

    /// Lists the keys, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.entries().map(|entry| &entry.key)
    }

    /// Returns how many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries().count()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<K>> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

/// Returns which of the keys that are used from `times`, newest first, is in use at `now`: the
/// newest whose time has come, or else the oldest, which every node has had for the longest time.
pub(super) fn index_in_use(
    times: impl Iterator<Item = Timestamp>,
    now: Timestamp,
) -> Option<usize> {
    let mut last = None;
    for (index, used_from) in times.enumerate() {
        if used_from <= now {
            return Some(index);
        }
        last = Some(index);
    }
    last
}
