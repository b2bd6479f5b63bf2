//! The exemption of a device from the idle limit covers those of its sessions that are in no doubt: whoever
//! signs in states the id of their device. What is confirmed is covered from then on.

use super::Accounts;
use super::device_names::list_in_doubt;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::devices::{self, WhenUnused};
use crate::error::Result;
use crate::events::Origin;
use crate::sessions::{self, Confirmation, IdleChange};

/// The devices of a person that are exempt from the idle limit, while their live sessions are locked.
pub(super) struct Exemption {
    owner: UserId,
    devices: Vec<String>,
}

impl Exemption {
    /// Locks the live sessions of a person who has exempt devices, as a part of a transaction in which the
    /// person is locked.
    pub(super) fn lock(c: &mut AnyConnection, owner: UserId) -> Result<Self> {
        let mut exempt = devices::store::list(c, owner)?;
        exempt.retain(|device| device.is_idle_exempt);
        if !exempt.is_empty() {
            sessions::store::lock_live(c, owner)?;
        }
        Ok(Self {
            owner,
            devices: exempt.into_iter().map(|it| it.device_id).collect(),
        })
    }

    /// Exempts the sessions on these devices that are in no doubt, now that one was confirmed.
    pub(super) fn cover_confirmed(&self, c: &mut AnyConnection, now: Timestamp) -> Result<()> {
        if self.devices.is_empty() {
            return Ok(());
        }
        let in_doubt = list_in_doubt(c, self.owner, now)?;
        sessions::exempt_sessions(c, (self.owner, &self.devices), &in_doubt, now)
    }
}

impl Accounts {
    /// Updates what becomes of the device that the session `id` is on when it is not used: of its live sessions
    /// that are in no doubt, and of later ones.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when `owner` has no such session, or it is on no known device;
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn update_when_unused(
        &self,
        session: (UserId, SessionId),
        when_unused: WhenUnused,
        confirmation: Confirmation,
        origin: Origin,
    ) -> Result<IdleChange> {
        self.sessions
            .update_when_unused(session, (when_unused, list_in_doubt), confirmation, origin)
            .await
    }
}
