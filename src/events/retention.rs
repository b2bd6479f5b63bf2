//! The retention of events: they outlive their sessions, and are purged by their own age.

use std::time::Duration;

use super::store;
use crate::clock::Clock;
use crate::db::{Db, NodeLock};
use crate::error::Result;
use crate::settings::Settings;

/// The events of the service, for the sweep; clones share its database.
#[derive(Clone)]
pub struct EventRetention {
    db: Db,
    clock: Clock,
    retention: Duration,
    batch: u32,
}

/// The batches of addresses that one sweep gives their sortable form.
const KEY_BATCHES: usize = 50;

impl EventRetention {
    /// Returns the events in `db`, which are purged after the retention in the settings.
    #[must_use]
    pub fn new(db: Db, clock: Clock, settings: &Settings) -> Self {
        Self {
            db,
            clock,
            retention: settings.events.retention,
            batch: settings.jobs.sweep_batch,
        }
    }

    /// Purges events past their retention, in batches, unless another node does so. Returns how many
    /// were purged.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was purged until then stays purged.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.clock.now() - self.retention;
        let limit = i64::from(self.batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| store::purge(c, before, limit))
            .await
    }

    /// Stores the sortable form of addresses that were stored without one, in some batches, unless
    /// another node does so. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was stored until then stays stored.
    pub async fn fill_ip_keys(&self) -> Result<usize> {
        let limit = i64::from(self.batch);
        self.db
            .repeat_some_with_lock(NodeLock::Sweep, KEY_BATCHES, move |c| {
                let without = store::list_without_ip_key(c, limit)?;
                without.iter().try_fold(0, |rows, (id, ip)| {
                    Ok(rows + store::update_ip_key(c, *id, ip)?)
                })
            })
            .await
    }
}
