//! Ending sessions: an end is on disk, with its reason, before the response to the request.

use super::Sessions;
use super::authority::Authority;
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
    /// [`Error::NotFound`] when `owner` has no such session; those of an administrator who ends it and is
    /// none any more.
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
                if reason == EndedReason::Admin {
                    Authority::require_over_session(c, &origin, id, at)?;
                }
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

    /// Ends every session of `owner` except `except`, from which they do it. Returns those that ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when that has ended meanwhile; [`Error::Unavailable`] when the database doesn't respond; then none has ended.
    pub async fn end_other_sessions(
        &self,
        owner: UserId,
        except: SessionId,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::SignedOutRemotely;

        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                store::lock_live(c, owner)?;
                // Whoever has the account may have signed this session out while it waited.
                let live = store::find_live(c, owner, except, at)?;
                live.ok_or(Error::Unauthenticated)?;
                end_others(c, owner, except, REASON, &origin, at)
            })
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

/// Ends the sessions of `owner` that were signed in by `until`, as a part of a transaction.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn end_signed_in_by(
    c: &mut AnyConnection,
    (owner, until): (UserId, Timestamp),
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let live = store::list_live(c, owner, at)?;
    let earlier = live.iter().filter(|session| session.created_at <= until);
    let ids: Vec<SessionId> = earlier.map(|session| session.id).collect();
    let ended = store::end_several(c, owner, &ids, SessionEnd::by(origin, reason, at))?;
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
