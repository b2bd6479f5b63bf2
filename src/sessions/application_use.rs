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
/// 250 bytes each, some 25 MB.
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

/// The last use of an application in a session, as far as this node knows.
#[derive(Debug)]
struct Buffered {
    user_id: UserId,
    at: Timestamp,
    is_pending: bool,
    /// When this node wrote the row last.
    written_at: Option<Timestamp>,
}

impl Buffered {
    fn may_write(&self, now: Timestamp) -> bool {
        let was_written = |at: Timestamp| at <= now && now.since(at) < WRITE_INTERVAL;
        !self.written_at.is_some_and(was_written)
    }
}

/// The buffer: each application of each session once.
#[derive(Debug, Default)]
struct Buffer(HashMap<(SessionId, UsedApplication), Buffered>);

impl Buffer {
    /// Adds a use, or returns it where there is no room. Of two uses the later stays.
    fn insert(&mut self, used: ApplicationUse) -> std::result::Result<(), ApplicationUse> {
        let is_full = self.0.len() >= CAPACITY;
        match self.0.entry((used.session_id, used.application)) {
            Entry::Occupied(mut occupied) => {
                let buffered = occupied.get_mut();
                if buffered.at < used.at {
                    buffered.at = used.at;
                    buffered.is_pending = true;
                }
                Ok(())
            }
            Entry::Vacant(vacant) if is_full => {
                let (session_id, application) = vacant.into_key();
                Err(ApplicationUse {
                    session_id,
                    application,
                    ..used
                })
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Buffered {
                    user_id: used.user_id,
                    at: used.at,
                    is_pending: true,
                    written_at: None,
                });
                Ok(())
            }
        }
    }

    /// Takes the uses that are due, in the order of the rows, so that two nodes that write the same ones
    /// can't deadlock. Rows that were written longer ago are forgotten.
    fn take(&mut self, now: Timestamp, due: Due) -> Vec<ApplicationUse> {
        self.0
            .retain(|_, buffered| buffered.is_pending || !buffered.may_write(now));
        let mut taken = Vec::new();
        for ((session_id, application), buffered) in &mut self.0 {
            if buffered.is_pending && (due == Due::AtTheEnd || buffered.may_write(now)) {
                buffered.is_pending = false;
                buffered.written_at = Some(now);
                taken.push(ApplicationUse {
                    session_id: *session_id,
                    user_id: buffered.user_id,
                    application: application.clone(),
                    at: buffered.at,
                });
            }
        }
        taken.sort_unstable_by(|a, b| {
            (a.session_id, &a.application).cmp(&(b.session_id, &b.application))
        });
        taken
    }

    /// Puts back a use that could not be written, to be written at the next flush. It has its place
    /// whatever has come since, so the buffer can be twice as large.
    fn put_back(&mut self, used: ApplicationUse) {
        let buffered = self
            .0
            .entry((used.session_id, used.application))
            .or_insert(Buffered {
                user_id: used.user_id,
                at: used.at,
                is_pending: true,
                written_at: None,
            });
        buffered.is_pending = true;
        buffered.written_at = None;
    }
}

/// The recorder of uses of applications; clones share its buffer.
#[derive(Clone)]
pub(super) struct ApplicationUses {
    db: Db,
    buffer: Arc<Mutex<Buffer>>,
    /// Held while the buffer is written, so that who waits for it reads what was taken before.
    writing: Arc<tokio::sync::Mutex<()>>,
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
        let _writing = self.writing.lock().await;
        let mut uses = self.buffer().take(now, due);
        let mut written = 0;
        while !uses.is_empty() {
            let rest = uses.split_off(uses.len().min(BATCH));
            match write_batch(&self.db, uses.clone()).await {
                Ok(rows) => written += rows,
                Err(err) => {
                    let mut buffer = self.buffer();
                    uses.into_iter()
                        .chain(rest)
                        .for_each(|used| buffer.put_back(used));
                    return Err(err);
                }
            }
            uses = rest;
        }
        Ok(written)
    }
}

/// Writes uses, which are in the order of the rows. Those of sessions that are deleted are left out.
async fn write_batch(db: &Db, batch: Vec<ApplicationUse>) -> Result<usize> {
    db.transaction(move |c| write(c, &batch)).await
}

fn write(c: &mut AnyConnection, batch: &[ApplicationUse]) -> Result<usize> {
    let mut sessions: Vec<SessionId> = batch.iter().map(|used| used.session_id).collect();
    sessions.dedup();
    let sessions = store::share_existing(c, &sessions)?;
    let mut rows = 0;
    for used in batch {
        if sessions.contains(&used.session_id) {
            rows += store::upsert_application(c, used)?;
        }
    }
    for id in store::list_with_more(c, &sessions, MAX_OF_SESSION)? {
        store::delete_earliest(c, id, MAX_OF_SESSION)?;
    }
    Ok(rows)
}
