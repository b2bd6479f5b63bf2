//! Refreshing: each refresh token is used once (RFC 9700, 4.14.2). Used again within the grace, it
//! gets the successor that exists already; after that it is theft, and the session ends.

use super::store;
use super::values::{EndedReason, Jti};
use super::{Session, Sessions};
use crate::db::{SessionId, Timestamp, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};

impl Sessions {
    /// Spends the refresh token `spent` and answers with the session, whose [`Session::jti`] is
    /// then the successor's.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when the session is over, or the token was spent too long ago: then
    /// the session is over from now on.
    pub async fn refresh(
        &self,
        owner: UserId,
        id: SessionId,
        spent: Jti,
        ip: Option<String>,
    ) -> Result<Session> {
        let now = self.clock.now();
        let new = Jti::random()?;
        let old = spent.clone();
        let rotated = self
            .db
            .write(move |c| store::rotate_jti(c, (owner, id), (&old, &new), now))
            .await?;
        match (rotated, ip) {
            (Some(session), Some(ip)) if session.ip_address.as_ref() != Some(&ip) => {
                self.note_new_address(session, ip).await
            }
            (Some(session), _) => Ok(session),
            (None, ip) => self.refresh_again(owner, id, spent, ip).await,
        }
    }

    /// Notes that a session is refreshed from another address than before. That is seldom, so it may
    /// cost a second statement.
    async fn note_new_address(&self, session: Session, ip: String) -> Result<Session> {
        let now = self.clock.now();
        let origin = Origin {
            user: Some(session.user_id),
            session: Some(session.id),
            ip: Some(ip.clone()),
        };
        self.db
            .transaction(move |c| {
                let (owner, id) = (session.user_id, session.id);
                let moved = store::move_to(c, owner, id, &ip, now)?;
                let event = NewEvent::of_session(owner, id, EventKind::Refreshed, &origin, now);
                events::record(c, &[event])?;
                Ok(moved.unwrap_or(session))
            })
            .await
    }

    /// The token was not the current one: a retry within the grace, or theft, or just too late.
    async fn refresh_again(
        &self,
        owner: UserId,
        id: SessionId,
        spent: Jti,
        ip: Option<String>,
    ) -> Result<Session> {
        let now = self.clock.now();
        let live = self
            .db
            .read(move |c| store::live(c, owner, id, now))
            .await?;
        let Some((session, _)) = live else {
            return Err(Error::InvalidToken("its session is over"));
        };
        if self.is_within_grace(&session, &spent, now) {
            return Ok(session);
        }
        let origin = Origin {
            ip,
            ..Origin::default()
        };
        self.end(owner, id, EndedReason::ReuseDetected, origin)
            .await?;
        tracing::warn!(session = %id, "a spent refresh token was used again; its session is ended");
        Err(Error::InvalidToken("it was spent before"))
    }

    /// Whether `jti` is the current one, or was until a moment ago: a request that was under way
    /// when another one made a new JTI.
    pub(super) fn is_current(&self, session: &Session, jti: &Jti, now: Timestamp) -> bool {
        *jti == session.jti() || self.is_within_grace(session, jti, now)
    }

    fn is_within_grace(&self, session: &Session, spent: &Jti, now: Timestamp) -> bool {
        session.previous_jti.as_deref() == Some(spent.as_str())
            && now <= session.rotated_at() + self.refresh_grace
    }
}
