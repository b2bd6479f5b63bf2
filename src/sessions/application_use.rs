//! Uses of applications: which ones a session reached, and when last. They are buffered and written in
//! batches, so that a request to an application costs no write. A use that follows another within a
//! minute is written after that minute.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::store;
use super::used_application::{ApplicationUse, UsedApplication};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, Db, SessionId, UserId};
use crate::error::Result;

/// The number of sessions' applications in the buffer from which on others are written at once; at about
/// 250 bytes each, some 25 MB. As many are remembered as written.
const CAPACITY: usize = 100_000;
/// The most rows written in one transaction.
const BATCH: usize = 500;
/// The shortest time between two writes of one row by a node.
const WRITE_INTERVAL: Duration = Duration::from_secs(60);
/// The most applications that are stored of a session: those used last.
const MAX_OF_SESSION: i64 = 50;

/// Which of the buffered uses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Those whose row was not written within the last minute.
    ByNow,
    /// All of them: the process is about to end.
    AtTheEnd,
}

/// An application of a session, which has one row.
type Key = (SessionId, UsedApplication);

/// The last use of an application in a session, as far as this node knows.
#[derive(Debug, Clone, Copy)]
struct LastUse {
    user_id: UserId,
    at: Timestamp,
}

/// The uses to be written: each application of each session once.
#[derive(Debug, Default)]
struct Buffer(HashMap<Key, LastUse>);

impl Buffer {
    /// Adds a use, or returns it where there is no room. Of two uses the later stays.
    fn insert(&mut self, used: ApplicationUse) -> std::result::Result<(), ApplicationUse> {
        let is_full = self.0.len() >= CAPACITY;
        let last = LastUse {
            user_id: used.user_id,
            at: used.at,
        };
        match self.0.entry((used.session_id, used.application)) {
            Entry::Vacant(vacant) if is_full => {
                let (session_id, application) = vacant.into_key();
                return Err(ApplicationUse {
                    session_id,
                    application,
                    ..used
                });
            }
            entry => update(entry, last),
        }
        Ok(())
    }

    /// Puts back uses that were taken out. Each has its place whatever has come since, so the buffer can be
    /// twice as large. Moving what has come since is less than moving what is put back.
    fn put_back(&mut self, uses: HashMap<Key, LastUse>) {
        let since = std::mem::replace(&mut self.0, uses);
        for (key, last) in since {
            update(self.0.entry(key), last);
        }
    }
}

fn update(entry: Entry<'_, Key, LastUse>, last: LastUse) {
    let stored = entry.or_insert(last);
    stored.at = stored.at.max(last.at);
}

/// When this node wrote rows within the last minute.
#[derive(Debug, Default)]
struct Written(HashMap<Key, Timestamp>);

impl Written {
    /// Removes those that may be written again.
    fn forget_earlier(&mut self, now: Timestamp) {
        self.0
            .retain(|_, at| *at <= now && now.since(*at) < WRITE_INTERVAL);
    }

    fn add(&mut self, batch: Vec<ApplicationUse>, now: Timestamp) {
        let room = CAPACITY.saturating_sub(self.0.len());
        let keys = batch
            .into_iter()
            .map(|used| (used.session_id, used.application));
        self.0.extend(keys.take(room).map(|key| (key, now)));
    }
}

/// The recorder of uses of applications; clones share its buffer.
#[derive(Clone)]
pub(super) struct ApplicationUses {
    db: Db,
    /// Each request to an application takes it, so it is never held for long.
    buffer: Arc<Mutex<Buffer>>,
    /// Held while the buffer is written, so that who waits for it reads what was taken before.
    writing: Arc<tokio::sync::Mutex<Written>>,
}

impl ApplicationUses {
    /// Returns a recorder with an empty buffer.
    pub(super) fn new(db: Db) -> Self {
        Self {
            db,
            buffer: Arc::default(),
            writing: Arc::default(),
        }
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Buffers a use, or writes it at once where the buffer is full.
    pub(super) async fn record(&self, used: ApplicationUse) -> Result<()> {
        let inserted = self.buffer().insert(used);
        match inserted {
            Ok(()) => Ok(()),
            Err(used) => write_batch(&self.db, vec![used]).await.map(drop),
        }
    }

    /// Writes the uses that are due, up to the first batch that fails: those stay in the buffer.
    pub(super) async fn flush(self, now: Timestamp, due: Due) -> Result<usize> {
        let mut written = self.writing.lock().await;
        written.forget_earlier(now);
        let mut uses = self.take(&written, due);
        let mut rows = 0;
        while !uses.is_empty() {
            let rest = uses.split_off(uses.len().min(BATCH));
            match write_batch(&self.db, uses.clone()).await {
                Ok(changed) => rows += changed,
                Err(err) => {
                    uses.extend(rest);
                    self.buffer().put_back(keyed(uses));
                    return Err(err);
                }
            }
            written.add(uses, now);
            uses = rest;
        }
        Ok(rows)
    }

    /// Takes the uses that are due, in the order of the rows, so that two nodes that write the same ones
    /// can't deadlock. They are sorted out while others add uses.
    fn take(&self, written: &Written, due: Due) -> Vec<ApplicationUse> {
        let taken = std::mem::take(&mut self.buffer().0);
        let (early, due): (HashMap<_, _>, HashMap<_, _>) = taken
            .into_iter()
            .partition(|(key, _)| due == Due::ByNow && written.0.contains_key(key));
        if !early.is_empty() {
            self.buffer().put_back(early);
        }
        let mut uses: Vec<_> = due
            .into_iter()
            .map(|((session_id, application), last)| ApplicationUse {
                session_id,
                user_id: last.user_id,
                application,
                at: last.at,
            })
            .collect();
        uses.sort_unstable_by(|a, b| {
            (a.session_id, &a.application).cmp(&(b.session_id, &b.application))
        });
        uses
    }
}

fn keyed(uses: Vec<ApplicationUse>) -> HashMap<Key, LastUse> {
    uses.into_iter()
        .map(|used| {
            let last = LastUse {
                user_id: used.user_id,
                at: used.at,
            };
            ((used.session_id, used.application), last)
        })
        .collect()
}

/// Writes uses, which are in the order of the rows. Those of sessions that are deleted are left out.
async fn write_batch(db: &Db, batch: Vec<ApplicationUse>) -> Result<usize> {
    db.transaction(move |c| write(c, &batch)).await
}

fn write(c: &mut AnyConnection, batch: &[ApplicationUse]) -> Result<usize> {
    let mut sessions: Vec<(UserId, SessionId)> = batch
        .iter()
        .map(|used| (used.user_id, used.session_id))
        .collect();
    sessions.dedup();
    let existing = store::share_existing(c, &sessions)?;
    let of_existing: Vec<&ApplicationUse> = batch
        .iter()
        .filter(|used| existing.contains(&used.session_id))
        .collect();
    let rows = store::upsert_applications(c, &of_existing)?;
    for session in store::list_with_more(c, &sessions, MAX_OF_SESSION)? {
        store::delete_earliest(c, session, MAX_OF_SESSION)?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(host: &str, at: i64) -> ApplicationUse {
        ApplicationUse {
            session_id: SessionId::from_bytes([0; 16]),
            user_id: UserId::from_bytes([0; 16]),
            application: UsedApplication::Host(host.to_owned()),
            at: Timestamp::from_micros(at).expect("a time"),
        }
    }

    #[test]
    fn what_is_put_back_is_joined_to_what_came_since() {
        let mut buffer = Buffer::default();
        for (host, at) in [("a", 1), ("b", 9)] {
            buffer.insert(used(host, at)).expect("room");
        }
        let taken = std::mem::take(&mut buffer.0);
        for (host, at) in [("a", 5), ("b", 5), ("c", 5)] {
            buffer.insert(used(host, at)).expect("room");
        }
        buffer.put_back(taken);
        let mut times: Vec<_> = buffer
            .0
            .iter()
            .map(|((_, application), last)| (application.name().into_owned(), last.at))
            .collect();
        times.sort();
        let expected = [("a", 5), ("b", 9), ("c", 5)];
        let expected = expected.map(|(host, at)| (host.to_owned(), used(host, at).at));
        assert_eq!(times, expected);
    }
}
