//! The core: one row for each sign-in on each device. Opened, used, refreshed, ended and expired
//! here and nowhere else; pages, API, command line and jobs all call [`Sessions`].

mod account;
mod confirm;
mod device;
mod end;
mod expire;
mod journey;
mod last_use;
mod newness;
mod open;
mod policy;
mod read;
mod refresh;
mod store;
mod suspicion;
mod values;

use std::time::Duration;

pub use self::device::{Device, by_device};
pub use self::end::Ending;
pub use self::expire::Swept;
use self::last_use::LastUses;
pub use self::open::{Client, Opening};
use self::policy::Policy;
pub use self::read::{Caller, Claim, HistoryCursor, HistoryPage};
pub use self::store::Session;
pub use self::suspicion::Reach;
pub use self::values::{DeviceId, DeviceName, EndedReason, Jti, OpenedVia, Stay};
use crate::alerts::Alerts;
use crate::clock::Clock;
use crate::db::{Db, Timestamp};
use crate::devices::{DeviceFacts, Place, naming};
use crate::settings::{JobSettings, SessionSettings, TokenSettings};

/// The sessions of the service; a clone is the same ones.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    alerts: Alerts,
    policy: Policy,
    last_uses: LastUses,
    /// A row that would expire within this time must not wait for the next flush.
    flush_margin: Duration,
    sweep_batch: u32,
    refresh_grace: Duration,
}

impl Sessions {
    /// Sessions kept in `db`.
    pub fn new(
        db: Db,
        clock: Clock,
        alerts: Alerts,
        sessions: &SessionSettings,
        tokens: &TokenSettings,
        jobs: &JobSettings,
    ) -> Self {
        Self {
            db,
            clock,
            alerts,
            policy: Policy::new(sessions),
            last_uses: LastUses::default(),
            flush_margin: jobs.flush_interval * 2,
            sweep_batch: jobs.sweep_batch,
            refresh_grace: tokens.refresh_grace,
        }
    }
}

impl Session {
    /// What the device says it is: "Firefox on Windows".
    pub fn label(&self) -> String {
        naming::name(&self.facts())
    }

    /// What to call the device: its given name, else its label.
    pub fn display_name(&self) -> String {
        self.device_name.clone().unwrap_or_else(|| self.label())
    }

    /// The id of its current refresh token. Only a genuine token or cookie may carry it out.
    pub(crate) fn jti(&self) -> Jti {
        Jti::claimed(self.refresh_token_jti.clone())
    }

    /// When its current refresh token was made.
    pub(crate) fn rotated_at(&self) -> Timestamp {
        self.rotated_at.unwrap_or(self.created_at)
    }

    /// When it ends if it is used at `now` and then no more.
    fn end_if_used(&self, now: Timestamp) -> Timestamp {
        let idle = Duration::from_secs(u64::try_from(self.idle_seconds).unwrap_or_default());
        self.absolute_expires_at.min(now + idle)
    }

    /// The session as its row will be once this use of it is written.
    pub fn used_at(self, now: Timestamp) -> Self {
        Self {
            last_used_at: now,
            expires_at: self.end_if_used(now),
            ..self
        }
    }

    /// Where it was last used.
    pub fn place(&self) -> Place {
        Place {
            city: self.location_city.clone(),
            country: self.location_country.clone(),
            point: self.location_point,
        }
    }

    fn facts(&self) -> DeviceFacts {
        DeviceFacts {
            browser: self.browser.clone(),
            browser_version: self.browser_version.clone(),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            kind: self.device_kind,
            brand: self.brand.clone(),
            model: self.model.clone(),
        }
    }
}
