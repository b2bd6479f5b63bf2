//! What devices are called that several sessions state to be on. Whoever signs in states the id and the name
//! of their device. So one is called by a session that is in doubt only where no other is on it.

use std::collections::HashSet;

use super::Accounts;
use super::trust::TrustBasis;
use crate::alerts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::sessions::{self, Session};

impl Accounts {
    /// Lists a person's sessions that are in doubt while a sign-in waits for an answer, for a reader in the
    /// session `here`: none if that is one of them, whose reader is not to learn it.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_in_doubt(
        &self,
        owner: UserId,
        here: Option<SessionId>,
    ) -> Result<HashSet<SessionId>> {
        let now = self.clock.now();
        let found = self.db.read(move |c| list_in_doubt(c, owner, now)).await?;
        match here.is_some_and(|here| found.contains(&here)) {
            true => Ok(HashSet::new()),
            false => Ok(found),
        }
    }

    /// Returns the sessions of a person in their order, but those last that are in doubt: the first session of each device is the one that it is called by. `here` is that of the reader.
    ///
    /// # Errors
    /// As [`Accounts::list_in_doubt`].
    pub async fn order_for_names(
        &self,
        owner: UserId,
        here: Option<SessionId>,
        mut sessions: Vec<Session>,
    ) -> Result<Vec<Session>> {
        if shares_device(&sessions) {
            let in_doubt = self.list_in_doubt(owner, here).await?;
            sessions.sort_by_key(|session| in_doubt.contains(&session.id));
        }
        Ok(sessions)
    }

    /// Returns a session by its label in place of the name that it states, if it is in doubt for a reader in the
    /// session `here`, and one of the `live` sessions on its device is not.
    ///
    /// # Errors
    /// As [`Accounts::list_in_doubt`].
    pub async fn label_in_doubt(
        &self,
        here: Option<SessionId>,
        mut session: Session,
        live: &[Session],
    ) -> Result<Session> {
        let in_doubt = self.list_in_doubt(session.user_id, here).await?;
        let is_other = |it: &Session| it.is_on_device_of(&session) && !in_doubt.contains(&it.id);
        if in_doubt.contains(&session.id) && live.iter().any(is_other) {
            session.device_name = Some(session.label());
        }
        Ok(session)
    }

    /// Returns what the device of a session is called, for a reader in the session `here`: by that session
    /// or, while that is in doubt, by another on its device that is live, or ended with it.
    ///
    /// # Errors
    /// As [`Accounts::list_in_doubt`].
    pub async fn find_device_name(
        &self,
        here: Option<SessionId>,
        session: &Session,
    ) -> Result<String> {
        let (owner, now) = (session.user_id, self.clock.now());
        if session.device_id.is_none() {
            return Ok(session.display_name());
        }
        let in_doubt = self.list_in_doubt(owner, here).await?;
        if !in_doubt.contains(&session.id) {
            return Ok(session.display_name());
        }
        let read =
            move |c: &mut AnyConnection| sessions::store::list_compared(c, owner, None, None);
        let recent = self.db.read(read).await?;
        let stands_for_it = |other: &&Session| {
            let ended_with_it = other.ended_at.is_some() && other.ended_at == session.ended_at;
            other.is_on_device_of(session)
                && !in_doubt.contains(&other.id)
                && (other.is_live(now) || ended_with_it)
        };
        let others = recent.iter().filter(stands_for_it);
        let last = others.max_by_key(|other| other.last_used_at);
        Ok(last.unwrap_or(session).display_name())
    }
}

/// Lists a person's sessions that are in doubt at `now`: those of the sign-ins that wait for an answer, and what came
/// after them and is not known to be the person's.
pub(super) fn list_in_doubt(
    c: &mut AnyConnection,
    owner: UserId,
    now: Timestamp,
) -> Result<HashSet<SessionId>> {
    if alerts::list_unconfirmed_sessions(c, owner, now)?.is_empty() {
        return Ok(HashSet::new());
    }
    let open = alerts::list_open(c, owner, now)?;
    Ok(TrustBasis::load(c, owner, &open, None)?.list_doubts())
}

/// Returns whether two of the sessions state the same device id.
fn shares_device(sessions: &[Session]) -> bool {
    let mut ids = HashSet::new();
    let mut stated = sessions.iter().filter_map(|it| it.device_id.as_deref());
    stated.any(|id| !ids.insert(id))
}
