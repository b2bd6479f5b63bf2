//! What devices are called that several sessions state to be on. Whoever signs in states the id and the name
//! of their device. So a session that is in doubt names none: its device is called by the last session on it
//! that is in no doubt, a live one first; where all are in doubt, by the first of them.

use std::collections::{HashMap, HashSet};

use super::Accounts;
use super::trust::TrustBasis;
use crate::alerts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::sessions::Session;

/// The sessions of a person that are in doubt while a sign-in waits for an answer, as far as a reader may know.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    /// The sessions.
    pub sessions: HashSet<SessionId>,
    /// What the devices are called that these state to be on, by the ids of the devices.
    names: HashMap<String, String>,
}

impl Doubts {
    /// Returns what is in doubt at `now`.
    pub(super) fn of(basis: &TrustBasis, now: Timestamp) -> Self {
        let sessions = basis.list_doubts();
        let in_doubt = basis.all.iter().filter(|it| sessions.contains(&it.id));
        let devices: HashSet<&str> = in_doubt.filter_map(|it| it.device_id.as_deref()).collect();
        let name = |device: &str| {
            let by = find_naming(basis, device, now)?;
            Some((device.to_owned(), by.display_name()))
        };
        Self {
            names: devices.into_iter().filter_map(name).collect(),
            sessions,
        }
    }

    /// Returns whether a session is in doubt.
    #[must_use]
    pub fn contains(&self, session: &Session) -> bool {
        self.sessions.contains(&session.id)
    }

    /// Returns what the device of a session is called, if that is in doubt.
    #[must_use]
    pub fn name(&self, session: &Session) -> Option<&str> {
        let device = session.device_id.as_ref();
        let device = device.filter(|_| self.contains(session))?;
        self.names.get(device).map(String::as_str)
    }

    /// Returns a session by the name of its device, whatever it states itself.
    #[must_use]
    pub fn named(&self, mut session: Session) -> Session {
        if let Some(name) = self.name(&session) {
            session.device_name = Some(name.to_owned());
        }
        session
    }

    /// Returns sessions by the names of their devices.
    #[must_use]
    pub fn all_named(&self, sessions: Vec<Session>) -> Vec<Session> {
        sessions.into_iter().map(|it| self.named(it)).collect()
    }

    /// Returns sessions by the names of their devices, in their order but those last that are in doubt: the
    /// first session of each device is the one that it is shown by.
    #[must_use]
    pub fn ordered(&self, sessions: Vec<Session>) -> Vec<Session> {
        let mut sessions = self.all_named(sessions);
        sessions.sort_by_key(|session| self.contains(session));
        sessions
    }

    /// Returns a session by its label if it is in doubt, and states another name than its device has.
    fn labelled(&self, mut session: Session) -> Session {
        let other = self.name(&session);
        if other.is_some_and(|name| name != session.display_name()) {
            session.device_name = Some(session.label());
        }
        session
    }
}

/// Finds the session that a device is called by.
fn find_naming<'a>(basis: &'a TrustBasis, device: &str, now: Timestamp) -> Option<&'a Session> {
    let first = || {
        let all = basis.all.iter();
        let waiting = all.filter(|it| is_on(it, device) && basis.is_in_doubt(it));
        waiting.min_by_key(|it| (it.created_at, it.id))
    };
    find_last_known(basis, device, now).or_else(first)
}

/// Finds the last session on a device that is in no doubt and was not reported, a live one first.
fn find_last_known<'a>(basis: &'a TrustBasis, device: &str, now: Timestamp) -> Option<&'a Session> {
    let is_known =
        |it: &&Session| is_on(it, device) && !basis.is_in_doubt(it) && basis.is_sound(it);
    let known = basis.all.iter().filter(is_known);
    known.max_by_key(|it| (it.is_live(now), it.last_used_at, it.id))
}

fn is_on(session: &Session, device: &str) -> bool {
    session.device_id.as_deref() == Some(device)
}

impl Accounts {
    /// Finds a person's sessions that are in doubt while a sign-in waits for an answer, for a reader in the
    /// session `here`: none if that is one of them, whose reader is not to learn it.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn find_doubts(&self, owner: UserId, here: Option<SessionId>) -> Result<Doubts> {
        let now = self.clock.now();
        let found = self.db.read(move |c| load_doubts(c, owner, now)).await?;
        match here.is_some_and(|here| found.sessions.contains(&here)) {
            true => Ok(Doubts::default()),
            false => Ok(found),
        }
    }

    /// Returns the sessions of a person as [`Doubts::ordered`] does. `here` is that of the reader.
    ///
    /// # Errors
    /// As [`Accounts::find_doubts`].
    pub async fn order_for_names(
        &self,
        owner: UserId,
        here: Option<SessionId>,
        sessions: Vec<Session>,
    ) -> Result<Vec<Session>> {
        match sessions.iter().any(|it| it.device_id.is_some()) {
            true => Ok(self.find_doubts(owner, here).await?.ordered(sessions)),
            false => Ok(sessions),
        }
    }

    /// Returns a session by its label in place of the name that it states, if it is in doubt for a reader in the
    /// session `here`, and its device has another name.
    ///
    /// # Errors
    /// As [`Accounts::find_doubts`].
    pub async fn label_in_doubt(
        &self,
        here: Option<SessionId>,
        session: Session,
    ) -> Result<Session> {
        let doubts = self.find_doubts(session.user_id, here).await?;
        Ok(doubts.labelled(session))
    }

    /// Returns sessions of a person, of which those that were `reported` may have stated any name: they are called by
    /// the device that they are listed with, if that is signed in, and by their labels if it was another's.
    ///
    /// # Errors
    /// As [`Accounts::find_doubts`].
    pub async fn name_reported(
        &self,
        owner: UserId,
        mut sessions: Vec<Session>,
        reported: &HashSet<SessionId>,
    ) -> Result<Vec<Session>> {
        let is_stated = |it: &Session| it.device_id.is_some() && reported.contains(&it.id);
        if !sessions.iter().any(is_stated) {
            return Ok(sessions);
        }
        let now = self.clock.now();
        let basis = self.db.read(move |c| {
            let open = alerts::list_open(c, owner, now)?;
            TrustBasis::load(c, owner, &open, None)
        });
        let basis = basis.await?;
        for session in sessions.iter_mut().filter(|it| is_stated(it)) {
            let device = session.device_id.as_deref();
            let by = device.and_then(|device| find_last_known(&basis, device, now));
            session.device_name = match by {
                Some(by) if by.is_live(now) => Some(by.display_name()),
                Some(_) => Some(session.label()),
                None => session.device_name.take(),
            };
        }
        Ok(sessions)
    }

    /// Returns what the device of a session is called, for a reader in the session `here`.
    ///
    /// # Errors
    /// As [`Accounts::find_doubts`].
    pub async fn find_device_name(
        &self,
        here: Option<SessionId>,
        session: &Session,
    ) -> Result<String> {
        if session.device_id.is_none() {
            return Ok(session.display_name());
        }
        let doubts = self.find_doubts(session.user_id, here).await?;
        let name = doubts.name(session).map(str::to_owned);
        Ok(name.unwrap_or_else(|| session.display_name()))
    }
}

/// Loads what is in doubt at `now`: the sessions of the sign-ins that wait for an answer, and what came after
/// them and is not known to be the person's.
pub(super) fn load_doubts(c: &mut AnyConnection, owner: UserId, now: Timestamp) -> Result<Doubts> {
    if alerts::list_unconfirmed_sessions(c, owner, now)?.is_empty() {
        return Ok(Doubts::default());
    }
    let open = alerts::list_open(c, owner, now)?;
    let basis = TrustBasis::load(c, owner, &open, None)?;
    Ok(Doubts::of(&basis, now))
}

/// Lists a person's sessions that are in doubt at `now`.
pub(super) fn list_in_doubt(
    c: &mut AnyConnection,
    owner: UserId,
    now: Timestamp,
) -> Result<HashSet<SessionId>> {
    Ok(load_doubts(c, owner, now)?.sessions)
}
