//! Ending: a sign-out is on disk, with its cause, before it is answered.

use super::store::{self, End};
use super::values::EndedReason;
use super::{Session, Sessions};
use crate::db::{AnyConnection, SessionId, Timestamp, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};

/// What came of ending one session. Either way it is over now.
#[derive(Debug)]
pub enum Ending {
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
    pub async fn end(
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
                let Some(ended) = store::end(c, owner, id, end)? else {
                    return store::of_owner(c, owner, id)?
                        .map(Ending::AlreadyEnded)
                        .ok_or(Error::NotFound);
                };
                record(c, std::slice::from_ref(&ended), reason, &origin, at)?;
                Ok(Ending::Ended(ended))
            })
            .await
    }

    /// Ends every session of `owner` but `keep`. Answers with those that ended.
    ///
    /// # Errors
    /// When the database doesn't answer; then none has ended.
    pub async fn end_others(
        &self,
        owner: UserId,
        keep: SessionId,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        let at = self.clock.now();
        self.db
            .transaction(move |c| {
                end_others(c, owner, keep, EndedReason::SignedOutRemotely, &origin, at)
            })
            .await
    }

    /// Ends every session of `owner`. Answers with those that ended.
    ///
    /// # Errors
    /// When the database doesn't answer; then none has ended.
    pub async fn end_all(
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

pub(super) fn end_others(
    c: &mut AnyConnection,
    owner: UserId,
    keep: SessionId,
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let ended = store::end_others(
        c,
        owner,
        keep,
        End {
            reason,
            by: origin.session,
            at,
        },
    )?;
    record(c, &ended, reason, origin, at)?;
    Ok(ended)
}

pub(super) fn end_all(
    c: &mut AnyConnection,
    owner: UserId,
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let ended = store::end_all(
        c,
        owner,
        End {
            reason,
            by: origin.session,
            at,
        },
    )?;
    record(c, &ended, reason, origin, at)?;
    Ok(ended)
}

/// Records that `ended` have ended.
pub(super) fn record(
    c: &mut AnyConnection,
    ended: &[Session],
    reason: EndedReason,
    origin: &Origin,
    at: Timestamp,
) -> Result<()> {
    let event = |session: &Session| {
        NewEvent::of_session(session.user_id, session.id, EventKind::Ended, origin, at)
            .with_detail(reason.as_str())
    };
    events::record(c, &ended.iter().map(event).collect::<Vec<_>>())
}
