//! The devices of a person: which of their sessions are on one device, the names they give their
//! devices, and which devices are known from earlier sign-ins.

mod grouping;
pub(crate) mod store;
mod values;

use std::time::Duration;

pub use self::grouping::{DeviceGroup, OnDevice, group_by_device};
pub use self::store::KnownDevice;
pub use self::values::{DeviceId, DeviceName, WhenUnused};
use crate::clock::Clock;
use crate::db::{Db, NodeLock, UserId};
use crate::error::Result;

/// The longest lifetime of a cookie (RFC 6265bis, 5.5). The device cookie is renewed at every
/// sign-in, so a device without a sign-in for longer comes back as a new one.
const COOKIE_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The known devices of the service; clones share its database.
#[derive(Clone)]
pub struct Devices {
    db: Db,
    clock: Clock,
    purge_batch: u32,
}

impl Devices {
    /// Returns the devices in `db`. A purge deletes `purge_batch` rows per transaction.
    #[must_use]
    pub fn new(db: Db, clock: Clock, purge_batch: u32) -> Self {
        Self {
            db,
            clock,
            purge_batch,
        }
    }

    /// Lists the known devices of a person, the one seen last first.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list(&self, owner: UserId) -> Result<Vec<KnownDevice>> {
        self.db.read(move |c| store::list(c, owner)).await
    }

    /// Purges the devices whose cookie has expired by now. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was purged until then stays purged.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.clock.now() - COOKIE_LIFETIME;
        let limit = i64::from(self.purge_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| store::purge(c, before, limit))
            .await
    }
}
