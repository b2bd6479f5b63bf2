//! Ending sessions: an end is on disk, with its reason, before the response to the request.

use super::Sessions;
use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};

/// The outcome of ending one session. In either case it is over now.
#[derive(Debug)]
pub enum EndOutcome {
    /// It was live until now.
    Ended(Session),
    /// It had ended before.
    AlreadyEnded(Session),
}

impl Sessions {
    /// Ends one session of `owner`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session.
    pub async fn end_session(
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
                let Some(ended) = store::end(c, owner, id, end)? else {
                    return store::find(c, owner, id)?
                        .map(EndOutcome::AlreadyEnded)
                        .ok_or(Error::NotFound);
                };
                record_ended(c, std::slice::from_ref(&ended), reason, &origin, at)?;
                Ok(EndOutcome::Ended(ended))
            })
            .await
    }

    /// Ends every session of `owner` except `except`. Returns those that ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; then none has ended.
    pub async fn end_other_sessions(
        &self,
        owner: UserId,
        except: SessionId,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::SignedOutRemotely;

        let at = self.clock.now();
        self.db
            .transaction(move |c| end_others(c, owner, except, REASON, &origin, at))
            .await
    }

    /// Ends every session of `owner`. Returns those that ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; then none has ended.
    pub async fn end_all_sessions(
        &self,
        owner: UserId,
        reason: EndedReason,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        let at = self.clock.now();
        self.db
            .transaction(move |c| end_all(c, owner, reason, &origin, at))
            .await
    }
}

/// Ends one session of `owner`, as a part of a transaction. Returns whether it was live.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn end_one(
    c: &mut AnyConnection,
    owner: UserId,
    id: SessionId,
    (reason, origin): (EndedReason, &Origin),
    at: Timestamp,
) -> Result<bool> {
    let end = SessionEnd::by(origin, reason, at);
    let ended = store::end(c, owner, id, end)?;
    record_ended(c, ended.as_slice(), reason, origin, at)?;
    Ok(ended.is_some())
}

/// Ends every session of `owner` except one, as a part of a transaction.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn end_others(
    c: &mut AnyConnection,
    owner: UserId,
    except: SessionId,
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let end = SessionEnd::by(origin, reason, at);
    let ended = store::end_others(c, owner, except, end)?;
    record_ended(c, &ended, reason, origin, at)?;
    Ok(ended)
}

/// Ends every session of `owner`, as a part of a transaction.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn end_all(
    c: &mut AnyConnection,
    owner: UserId,
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let end = SessionEnd::by(origin, reason, at);
    let ended = store::end_all(c, owner, end)?;
    record_ended(c, &ended, reason, origin, at)?;
    Ok(ended)
}

/// Records the events of sessions that have ended, as a part of the transaction that ended them.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn record_ended(
    c: &mut AnyConnection,
    ended: &[Session],
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<()> {
    let event = |session: &Session| {
        NewEvent::for_session(session.user_id, session.id, EventKind::Ended, origin, at)
            .with_detail(reason.as_str())
    };
    events::record_events(c, &ended.iter().map(event).collect::<Vec<_>>())
}
