//! One device, several sessions: those with the same device id stand together, and the device's name
//! outlives them. A session whose client keeps no id is a device of its own.

use super::end::record;
use super::store::{self, End};
use super::values::{DeviceName, EndedReason};
use super::{Ending, Session, Sessions};
use crate::db::{SessionId, UserId};
use crate::devices::{self, KnownDevice};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};

/// A device with its live sessions.
#[derive(Debug)]
pub struct Device {
    latest: Session,
    rest: Vec<Session>,
}

impl Device {
    /// The session used last.
    pub fn latest(&self) -> &Session {
        &self.latest
    }

    /// All of them, the one used last first.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        std::iter::once(&self.latest).chain(&self.rest)
    }

    /// Whether that session is one of them.
    pub fn has(&self, id: SessionId) -> bool {
        self.sessions().any(|session| session.id == id)
    }

    fn is_of(&self, session: &Session) -> bool {
        session.device_id.is_some() && session.device_id == self.latest.device_id
    }
}

/// The devices that `sessions` are on, in the order of the first session of each.
pub fn by_device(sessions: Vec<Session>) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for session in sessions {
        match devices.iter_mut().find(|device| device.is_of(&session)) {
            Some(device) => device.rest.push(session),
            None => devices.push(Device {
                latest: session,
                rest: Vec::new(),
            }),
        }
    }
    devices
}

impl Sessions {
    /// The devices of a person's that name themselves, the one seen last first.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn known_devices(&self, owner: UserId) -> Result<Vec<KnownDevice>> {
        self.db
            .read(move |c| devices::store::of_person(c, owner))
            .await
    }

    /// Ends every session of the device that the session `id` is on, but the one it is done from.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session.
    pub async fn end_device(
        &self,
        owner: UserId,
        id: SessionId,
        reason: EndedReason,
        origin: Origin,
    ) -> Result<Ending> {
        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                let end = End {
                    reason,
                    by: origin.session,
                    at,
                };
                let session = store::of_owner(c, owner, id)?.ok_or(Error::NotFound)?;
                let mut ended: Vec<Session> = store::end(c, owner, id, end)?.into_iter().collect();
                if let Some(device) = &session.device_id {
                    ended.extend(store::end_device(c, owner, device, origin.session, end)?);
                }
                record(c, &ended, reason, &origin, at)?;
                Ok(match ended.is_empty() {
                    true => Ending::AlreadyEnded(session),
                    false => Ending::Ended(session),
                })
            })
            .await
    }

    /// Gives a device a name: every session on it, and those to come. An ended one may be named, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session.
    pub async fn rename(
        &self,
        owner: UserId,
        id: SessionId,
        name: DeviceName,
        origin: Origin,
    ) -> Result<Session> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let session = store::of_owner(c, owner, id)?.ok_or(Error::NotFound)?;
                // Devices before sessions: the order of a sign-in.
                if let Some(device) = &session.device_id {
                    devices::store::rename(c, owner, device, name.as_str())?;
                    store::rename_device(c, owner, device, &name, now)?;
                }
                let renamed = store::rename(c, owner, id, &name, now)?.ok_or(Error::NotFound)?;
                let event = NewEvent::of_session(owner, id, EventKind::Renamed, &origin, now)
                    .with_detail(name.as_str());
                events::record(c, &[event])?;
                Ok(renamed)
            })
            .await
    }
}
