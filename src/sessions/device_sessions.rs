//! The sessions of one device: grouped by device id, ended together, and named together. The name
//! of a device outlives its sessions; a session without a device id is a device of its own.

use super::end::record_ended;
use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use super::{EndOutcome, Sessions};
use crate::db::{SessionId, UserId};
use crate::devices::{self, DeviceGroup, DeviceName, OnDevice};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};

impl OnDevice for Session {
    fn device_id(&self) -> Option<&str> {
        self.device_id.as_deref()
    }
}

impl DeviceGroup<Session> {
    /// Returns whether one of the sessions has that id.
    #[must_use]
    pub fn contains(&self, id: SessionId) -> bool {
        self.iter().any(|session| session.id == id)
    }
}

impl Sessions {
    /// Ends the session `id` and every other session on its device except `origin.session`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session; [`Error::Unavailable`] when the
    /// database doesn't respond; then none has ended.
    pub async fn end_device_sessions(
        &self,
        owner: UserId,
        id: SessionId,
        reason: EndedReason,
        origin: Origin,
    ) -> Result<EndOutcome> {
        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                let end = SessionEnd::by(&origin, reason, at);
                let session = store::find(c, owner, id)?.ok_or(Error::NotFound)?;
                let mut ended: Vec<Session> = store::end(c, owner, id, end)?.into_iter().collect();
                if let Some(device) = &session.device_id {
                    ended.extend(store::end_on_device(c, owner, device, origin.session, end)?);
                }
                record_ended(c, &ended, reason, &origin, at)?;
                Ok(match ended.is_empty() {
                    true => EndOutcome::AlreadyEnded(session),
                    false => EndOutcome::Ended(session),
                })
            })
            .await
    }

    /// Updates the name of the device that the session `id` is on: that of the session itself, even
    /// if it has ended, of the live sessions on the device, and of later ones. Returns the session.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session; [`Error::Unavailable`] when the
    /// database doesn't respond.
    pub async fn update_device_name(
        &self,
        owner: UserId,
        id: SessionId,
        name: DeviceName,
        origin: Origin,
    ) -> Result<Session> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let session = store::find(c, owner, id)?.ok_or(Error::NotFound)?;
                // The device row before the session rows: the lock order of a sign-in.
                if let Some(device) = &session.device_id {
                    devices::store::update_name(c, owner, device, name.as_str())?;
                    store::update_names_on_device(c, owner, device, &name, now)?;
                }
                let renamed = store::update_name(c, owner, id, &name, now)?;
                let event = NewEvent::for_session(owner, id, EventKind::Renamed, &origin, now)
                    .with_detail(name.as_str());
                events::record_rare_event(c, event)?;
                renamed.ok_or(Error::NotFound)
            })
            .await
    }
}
