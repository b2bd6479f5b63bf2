//! What became of a device, given a session of it that has ended and the person's live ones: it is signed out
//! only where none of these is on it. Lists, pages and notices say it from here.

use crate::sessions::Session;

/// A device after the end of one of its sessions.
pub(super) struct DeviceState<'a> {
    ended: &'a Session,
    /// The live sessions on it.
    left: Vec<&'a Session>,
}

impl<'a> DeviceState<'a> {
    /// Returns the device of `session`, where `live` are the person's live sessions; `None` if that is one.
    pub(super) fn after(session: &'a Session, live: &'a [Session]) -> Option<Self> {
        let left: Vec<&Session> = (live.iter())
            .filter(|live| live.is_on_device_of(session))
            .collect();
        let is_ended = left.iter().all(|live| live.id != session.id);
        is_ended.then_some(Self {
            ended: session,
            left,
        })
    }

    /// Returns the number of live sessions on it.
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    /// Returns whether it is signed in.
    pub(super) fn is_signed_in(&self) -> bool {
        !self.left.is_empty()
    }

    /// Returns what it is called: by what is signed in on it, if anything is.
    pub(super) fn name(&self) -> String {
        let first = self.left.first();
        first.copied().unwrap_or(self.ended).display_name()
    }

    /// Returns the device of a session that has ended, if it is signed in by others of the person's `live` ones.
    pub(super) fn still_in(session: &'a Session, live: &'a [Session]) -> Option<Self> {
        Self::after(session, live).filter(Self::is_signed_in)
    }

    /// Names so many sessions that ended on it: "One session on Old tablet". One of another name than the device has
    /// it as well.
    pub(super) fn name_sessions(&self, n: usize) -> String {
        let (device, own) = (self.name(), self.ended.display_name());
        match n {
            1 if own == device => format!("One session on {device}"),
            1 => format!("The session of {own} on {device}"),
            n => format!("{n} sessions on {device}"),
        }
    }
}
