//! The sign-ins of a person that wait for an answer, and which of their sessions are in doubt for them.

use super::new_sign_in::{is_on_known_device, is_same_network};
use super::store::Session;
use crate::alerts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;

/// The sign-ins of a person that wait for an answer.
#[derive(Default)]
pub(super) struct WaitingSignIns {
    /// When the first was.
    first: Option<Timestamp>,
    /// Their sessions.
    subjects: Vec<SessionId>,
}

impl WaitingSignIns {
    /// Loads those of a person.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::error::Error::Unavailable) when the database doesn't respond.
    pub(super) fn load(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Self> {
        Ok(Self {
            first: alerts::find_first_unconfirmed(c, user, now)?,
            subjects: alerts::list_unconfirmed_sessions(c, user, now)?,
        })
    }

    /// Returns when the first was.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// Returns the number of their sessions.
    pub(super) fn count(&self) -> usize {
        self.subjects.len()
    }

    /// Returns whether a session is one of theirs.
    pub(super) fn is_subject(&self, session: &Session) -> bool {
        self.subjects.contains(&session.id)
    }

    /// Returns whether a session came with the first or after it, and is neither on a device nor in a network of
    /// one of the `others` from before it.
    pub(super) fn doubts(&self, session: &Session, others: &[Session]) -> bool {
        let Some(first) = self.first.filter(|first| session.created_at >= *first) else {
            return false;
        };
        let is_from_before = |known: &&Session| {
            known.created_at <= first && known.id != session.id && !self.is_subject(known)
        };
        let mut before = others.iter().filter(is_from_before);
        !before.any(|known| is_on_known_device(session, known) || is_same_network(session, known))
    }
}
