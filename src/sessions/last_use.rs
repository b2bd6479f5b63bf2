//! Last uses, kept in memory and written in batches, so that reading a page costs no write.
//!
//! Bounded: at most [`LIMIT`] sessions wait, about 250 bytes each, so some 25 MB. One more is
//! written at once. What a failing database did not take waits on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::store;
use crate::db::{Db, SessionId, Timestamp, UserId};
use crate::devices::Location;
use crate::error::Result;
use crate::people;

const LIMIT: usize = 100_000;
/// Rows one transaction writes, so that others get their turn.
const BATCH: usize = 500;

/// That a session was used.
#[derive(Debug, Clone)]
pub(super) struct LastUse {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) at: Timestamp,
    pub(super) location: Location,
}

/// The last uses that are not written yet; a clone is the same buffer.
#[derive(Clone, Default)]
pub(super) struct LastUses {
    waiting: Arc<Mutex<HashMap<SessionId, LastUse>>>,
}

impl LastUses {
    /// Keeps `used` for the next flush; gives it back when the buffer is full.
    pub(super) fn keep(&self, used: LastUse) -> Option<LastUse> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= LIMIT && !waiting.contains_key(&used.session_id) {
            return Some(used);
        }
        merge(&mut waiting, used);
        None
    }

    /// Writes all that wait. Answers how many rows changed.
    ///
    /// # Errors
    /// When the database doesn't take them; what it did not take waits on.
    pub(super) async fn flush(&self, db: &Db) -> Result<usize> {
        let mut written = 0;
        let mut uses = self.take_all();
        while !uses.is_empty() {
            let batch = uses.split_off(uses.len().saturating_sub(BATCH));
            match write(db, batch.clone()).await {
                Ok(rows) => written += rows,
                Err(fault) => {
                    self.put_back(uses.into_iter().chain(batch));
                    return Err(fault);
                }
            }
        }
        Ok(written)
    }

    /// In the order of their ids, so that two nodes never wait for each other's rows in a circle.
    fn take_all(&self) -> Vec<LastUse> {
        let taken =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut uses: Vec<LastUse> = taken.into_values().collect();
        uses.sort_unstable_by_key(|used| used.session_id);
        uses
    }

    fn put_back(&self, uses: impl Iterator<Item = LastUse>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        uses.for_each(|used| merge(&mut waiting, used));
    }
}

fn merge(waiting: &mut HashMap<SessionId, LastUse>, used: LastUse) {
    match waiting.get(&used.session_id) {
        Some(known) if known.at >= used.at => {}
        _ => {
            waiting.insert(used.session_id, used);
        }
    }
}

async fn write(db: &Db, batch: Vec<LastUse>) -> Result<usize> {
    db.transaction(move |c| {
        // Their owners may have chosen since, perhaps on another node, to have less kept.
        let owners: Vec<UserId> = batch.iter().map(|used| used.user_id).collect();
        let keeping = people::address_keepings(c, &owners)?;
        batch.into_iter().try_fold(0, |rows, mut used| {
            if let Some(keeping) = keeping.get(&used.user_id) {
                used.location = used.location.kept(*keeping);
            }
            Ok(rows + store::touch(c, &used)?)
        })
    })
    .await
}
