//! Last uses: when and where a session was last used. They are buffered and written in batches, so
//! that a page view costs no write. One actor owns the buffer (`jobs::last_use_writer`); everything
//! else sends it messages.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::{Message, Recipient};
use tokio::sync::oneshot;

use super::store::{self, LastUse};
use super::two_places;
use crate::db::{Db, SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::people;

/// The number of sessions in the buffer from which on uses are written at once; at about 250 bytes
/// each, some 25 MB. A flush that fails puts back what it took, so that it can be twice as many.
const CAPACITY: usize = 100_000;
/// The most rows written in one transaction, so that other writers don't wait for long.
const BATCH: usize = 500;

/// The message that adds a use to the buffer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct RecordLastUse(pub LastUse);

/// The message that writes the buffer. Once every use recorded before it is written, the number of
/// changed rows is sent to `reply`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct FlushLastUses {
    /// The channel that the result is sent to.
    pub reply: oneshot::Sender<Result<usize>>,
}

/// The buffer: the last use of each session, where it is not written yet.
#[derive(Debug, Default)]
pub struct LastUseBuffer {
    uses: HashMap<SessionId, LastUse>,
    is_full: Arc<AtomicBool>,
}

impl LastUseBuffer {
    /// Returns the flag that is set while the buffer is at its capacity.
    #[must_use]
    pub fn is_full(&self) -> Arc<AtomicBool> {
        self.is_full.clone()
    }

    /// Adds a use. Of two uses of one session the later stays, and the impossible travel that
    /// either revealed.
    pub fn insert(&mut self, used: LastUse) {
        match self.uses.entry(used.session_id) {
            Entry::Vacant(vacant) => {
                vacant.insert(used);
            }
            Entry::Occupied(mut occupied) => {
                let buffered = occupied.get_mut();
                let travel = buffered.travel.take().or_else(|| used.travel.clone());
                if buffered.at < used.at {
                    *buffered = used;
                }
                buffered.travel = travel;
            }
        }
        self.update_flag();
    }

    /// Takes every use, in the order of the sessions' ids, so that two nodes that write the same
    /// rows can't deadlock.
    pub fn take(&mut self) -> Vec<LastUse> {
        let mut uses: Vec<LastUse> = std::mem::take(&mut self.uses).into_values().collect();
        uses.sort_unstable_by_key(|used| used.session_id);
        self.update_flag();
        uses
    }

    fn update_flag(&self) {
        self.is_full
            .store(self.uses.len() >= CAPACITY, Ordering::Relaxed);
    }
}

/// The recorder of last uses; clones share its buffer.
#[derive(Clone)]
pub struct LastUses {
    db: Db,
    buffer: Option<BufferHandle>,
}

/// The addresses of the actor that owns the buffer, and the buffer's flag.
#[derive(Clone)]
struct BufferHandle {
    record: Recipient<RecordLastUse>,
    flush: Recipient<FlushLastUses>,
    is_full: Arc<AtomicBool>,
}

impl LastUses {
    /// Returns a recorder that writes each use at once, for processes without background jobs.
    #[must_use]
    pub fn unbuffered(db: Db) -> Self {
        Self { db, buffer: None }
    }

    /// Returns a recorder that sends uses to the actor behind `record` and `flush`. While `is_full`
    /// is set, it writes each use at once.
    #[must_use]
    pub fn buffered(
        db: Db,
        record: Recipient<RecordLastUse>,
        flush: Recipient<FlushLastUses>,
        is_full: Arc<AtomicBool>,
    ) -> Self {
        let buffer = BufferHandle {
            record,
            flush,
            is_full,
        };
        Self {
            db,
            buffer: Some(buffer),
        }
    }

    /// Buffers a use, or writes it at once where it can't be buffered.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it can be neither buffered nor written.
    pub(super) async fn record(&self, used: LastUse) -> Result<()> {
        let Some(buffer) = &self.buffer else {
            return self.write_now(used).await;
        };
        if buffer.is_full.load(Ordering::Relaxed) {
            return self.write_now(used).await;
        }
        match buffer.record.try_send(RecordLastUse(used)) {
            Ok(()) => Ok(()),
            Err(err) => self.write_now(err.into_inner().0).await,
        }
    }

    /// Writes a use at once, with the IP retention that its owner has by then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(super) async fn write_now(&self, used: LastUse) -> Result<()> {
        let written = write_batch(&self.db, vec![used]).await;
        written.map(drop)
    }

    /// Writes every use recorded until now. Returns how many rows changed, 0 without a buffer. The
    /// actor continues if the caller stops waiting.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; the uses stay in the buffer.
    /// [`Error::Internal`] when the actor is not running.
    pub async fn flush(&self) -> Result<usize> {
        const STOPPED: &str = "the writer of last uses is not running";

        let Some(buffer) = &self.buffer else {
            return Ok(0);
        };
        let (reply, result) = oneshot::channel();
        buffer
            .flush
            .send(FlushLastUses { reply })
            .await
            .map_err(|err| Error::Internal(Failure::new(STOPPED, err)))?;
        result
            .await
            .map_err(|err| Error::Internal(Failure::new(STOPPED, err)))?
    }
}

/// The outcome of writing a list of uses.
#[derive(Debug)]
pub struct WriteOutcome {
    /// The number of changed rows, or the error of the first batch that failed.
    pub result: Result<usize>,
    /// The uses that were not written.
    pub unwritten: Vec<LastUse>,
}

/// Writes `uses` in batches, up to the first batch that fails. They are in the order of the
/// sessions' ids, in which others lock the rows too.
pub async fn write_last_uses(db: &Db, mut uses: Vec<LastUse>) -> WriteOutcome {
    uses.sort_by_key(|used| used.session_id);
    let mut written = 0;
    while !uses.is_empty() {
        let rest = uses.split_off(uses.len().min(BATCH));
        match write_batch(db, uses.clone()).await {
            Ok(rows) => written += rows,
            Err(err) => {
                uses.extend(rest);
                return WriteOutcome {
                    result: Err(err),
                    unwritten: uses,
                };
            }
        }
        uses = rest;
    }
    WriteOutcome {
        result: Ok(written),
        unwritten: uses,
    }
}

async fn write_batch(db: &Db, batch: Vec<LastUse>) -> Result<usize> {
    db.transaction(move |c| {
        // The IP retention may have changed since the use was recorded, perhaps on another node.
        let owners: Vec<UserId> = batch.iter().map(|used| used.user_id).collect();
        let retention = people::store::list_ip_retention(c, &owners)?;
        batch.into_iter().try_fold(0, |rows, mut used| {
            if let Some(retention) = retention.get(&used.user_id) {
                used.location = used.location.redacted(*retention);
            }
            if let Some(travel) = used.travel.take() {
                let session = (used.user_id, used.session_id);
                two_places::record(c, session, travel, &used.location, used.at)?;
            }
            Ok(rows + store::update_last_use(c, &used)?)
        })
    })
    .await
}
