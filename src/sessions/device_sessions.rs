//! The sessions of one device: grouped by device id, ended together, and named together. The name
//! of a device outlives its sessions; a session without a device id is a device of its own.

use std::collections::HashSet;

use super::end::record_ended;
use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use super::{EndOutcome, Sessions};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::devices::{self, DeviceGroup, DeviceName, OnDevice, group_by_device};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people;

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

    /// Returns the session that the device is shown by: the first that is not among `unconfirmed`, those whose
    /// own sign-ins wait for an answer. Such a one may be anybody's who states the id of the device, and
    /// stands for it only where there is no other.
    #[must_use]
    pub fn shown(&self, unconfirmed: &HashSet<SessionId>) -> &Session {
        let mut others = self.iter().filter(|it| !unconfirmed.contains(&it.id));
        others.next().unwrap_or(self.first())
    }
}

impl Session {
    /// Returns whether both are on one device, or are one session.
    #[must_use]
    pub fn is_on_device_of(&self, other: &Self) -> bool {
        self.id == other.id || (self.device_id.is_some() && self.device_id == other.device_id)
    }
}

/// The outcome of signing out several devices.
#[derive(Debug)]
pub struct DevicesEnd {
    /// The sessions that ended.
    pub ended: Vec<Session>,
    /// One session of each device that had been signed out before.
    pub ended_before: Vec<Session>,
}

impl Sessions {
    /// Ends every session on the devices of the sessions `ids`, in one transaction. The device of
    /// `origin.session`, and what is no session of `owner`, is left out.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when `origin.session` has ended meanwhile; [`Error::Unavailable`]
    /// when the database doesn't respond; then none has ended.
    pub async fn end_devices(
        &self,
        owner: UserId,
        ids: Vec<SessionId>,
        origin: Origin,
    ) -> Result<DevicesEnd> {
        const REASON: EndedReason = EndedReason::SignedOutRemotely;

        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                store::lock_live(c, owner)?;
                let live = store::list_live(c, owner, at)?;
                // Whoever has the account may have signed this session out while it waited.
                let current = live.iter().find(|live| Some(live.id) == origin.session);
                let current = current.ok_or(Error::Unauthenticated)?;
                let mut chosen = store::list_own_by_ids(c, owner, &ids)?;
                chosen.retain(|session| !session.is_on_device_of(current));
                let is_chosen = |live: &&Session| chosen.iter().any(|it| live.is_on_device_of(it));
                let due: Vec<SessionId> = live.iter().filter(is_chosen).map(|it| it.id).collect();
                let ended =
                    store::end_several(c, owner, &due, SessionEnd::by(&origin, REASON, at))?;
                record_ended(c, &ended, REASON, &origin, at)?;
                chosen.retain(|session| !ended.iter().any(|it| it.is_on_device_of(session)));
                let ended_before = group_by_device(chosen).into_iter();
                Ok(DevicesEnd {
                    ended_before: ended_before.map(DeviceGroup::into_first).collect(),
                    ended,
                })
            })
            .await
    }

    /// Lists the live sessions of `owner` on the devices that were signed in at `shown`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_signed_in_by(&self, owner: UserId, shown: Timestamp) -> Result<Vec<Session>> {
        let at = self.clock.now();
        self.db
            .read(move |c| {
                let live = store::list_live(c, owner, at)?;
                only_signed_in_by(c, owner, shown, live)
            })
            .await
    }

    /// Ends every session of `owner` except `origin.session` on the devices that were signed in at `shown`:
    /// those of a page of that time. Returns those that ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when `origin.session` has ended meanwhile; [`Error::Unavailable`]
    /// when the database doesn't respond; then none has ended.
    pub async fn end_others_of_page(
        &self,
        owner: UserId,
        shown: Timestamp,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::SignedOutRemotely;

        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                store::lock_live(c, owner)?;
                let live = store::list_live(c, owner, at)?;
                let is_current = |session: &Session| Some(session.id) == origin.session;
                // Whoever has the account may have signed this session out while it waited.
                if !live.iter().any(is_current) {
                    return Err(Error::Unauthenticated);
                }
                let due = only_signed_in_by(c, owner, shown, live)?.into_iter();
                let due = due.filter(|session| !is_current(session));
                let due: Vec<SessionId> = due.map(|session| session.id).collect();
                let end = SessionEnd::by(&origin, REASON, at);
                let ended = store::end_several(c, owner, &due, end)?;
                record_ended(c, &ended, REASON, &origin, at)?;
                Ok(ended)
            })
            .await
    }

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
                store::lock_live(c, owner)?;
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
    /// if it has ended, of the live sessions on the device, and of later ones. The event of it has the name
    /// that the device had. Returns the session.
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
                // The person, the device, its sessions: the lock order of a sign-in.
                people::store::lock(c, owner)?;
                let session = store::find(c, owner, id)?.ok_or(Error::NotFound)?;
                if let Some(device) = &session.device_id {
                    devices::store::update_name(c, owner, device, name.as_str())?;
                    store::update_names_on_device(c, owner, device, &name, now)?;
                }
                let renamed = store::update_name(c, owner, id, &name, now)?;
                let event = NewEvent::for_session(owner, id, EventKind::Renamed, &origin, now)
                    .with_device(Some(session.display_name()))
                    .with_detail(name.as_str());
                events::record_rare_event(c, event)?;
                renamed.ok_or(Error::NotFound)
            })
            .await
    }
}

/// Returns those of the `live` sessions that are on devices which were signed in at `shown`. One that
/// signed in again since is another session of the same device.
fn only_signed_in_by(
    c: &mut AnyConnection,
    owner: UserId,
    shown: Timestamp,
    mut live: Vec<Session>,
) -> Result<Vec<Session>> {
    let known = store::list_live_at(c, owner, shown)?;
    live.retain(|session| {
        known.iter().any(|(id, device)| {
            *id == session.id || (device.is_some() && *device == session.device_id)
        })
    });
    Ok(live)
}
