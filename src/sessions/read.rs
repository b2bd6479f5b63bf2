//! Reading: who is calling, and which sessions a person has. Every read compares the clock.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;

use super::last_use::LastUse;
use super::values::Jti;
use super::{Session, Sessions, journey, store};
use crate::db::{EventId, SessionId, Timestamp, UserId};
use crate::devices::Location;
use crate::error::{Error, Result};
use crate::events::{self, EventPage, Origin};
use crate::people::User;

/// What a request claims to come from. The row decides.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose session.
    pub user: UserId,
    /// Which one.
    pub session: SessionId,
    /// The JTI a cookie carries; an access token carries none.
    pub jti: Option<Jti>,
}

/// Somebody whose session was found live.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub user: User,
    /// The session they call from.
    pub session: Session,
    /// Where this request comes from, as far as its owner wants that kept.
    pub location: Location,
}

impl Caller {
    /// The caller as the origin of what they do.
    pub fn origin(&self) -> Origin {
        Origin {
            user: Some(self.user.id),
            session: Some(self.session.id),
            ip: self.location.ip.clone(),
        }
    }
}

/// Where a page of history goes on: after the session with this end and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryCursor(Timestamp, SessionId);

impl HistoryCursor {
    /// The cursor as text; its inside is nobody's business.
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.0.timestamp_micros(), self.1))
    }
}

impl FromStr for HistoryCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let inside = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (at, id) = inside.split_once('.')?;
            Some(Self(
                DateTime::from_timestamp_micros(at.parse().ok()?)?.into(),
                id.parse().ok()?,
            ))
        };
        parse().ok_or_else(|| Error::field("cursor", "is not one that was given out"))
    }
}

/// Some of a person's ended sessions, newest end first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Where the next page goes on, if there is one.
    pub next: Option<HistoryCursor>,
}

impl Sessions {
    /// Who is calling, if the row agrees. Notes the use.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the session is over or never was.
    pub async fn resolve(&self, claim: Claim, location: Location) -> Result<Caller> {
        let now = self.clock.now();
        let Claim { user, session, jti } = claim;
        let (session, user) = self
            .db
            .read(move |c| store::live(c, user, session, now))
            .await?
            .ok_or(Error::Unauthenticated)?;
        if jti.is_some_and(|jti| !self.is_current(&session, &jti, now)) {
            return Err(Error::Unauthenticated);
        }
        let location = location.kept(user.address_keeping);
        self.note_use(&session, now, &location).await?;
        Ok(Caller {
            user,
            session,
            location,
        })
    }

    /// The session and its owner, if it is live and `jti`, where there is one, is the current one.
    /// Notes no use.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn look(
        &self,
        owner: UserId,
        id: SessionId,
        jti: Option<Jti>,
    ) -> Result<Option<(Session, User)>> {
        let now = self.clock.now();
        let live = self
            .db
            .read(move |c| store::live(c, owner, id, now))
            .await?;
        Ok(live.filter(|(session, _)| jti.is_none_or(|jti| jti == session.jti())))
    }

    /// Keeps the use for the next flush; writes it now when the row can't wait for that.
    async fn note_use(&self, session: &Session, now: Timestamp, location: &Location) -> Result<()> {
        if let Some(journey) = journey::from(session).to(location, now)
            && !self.was_told_of_journey(session, now).await?
        {
            return self.note_journey(session, journey, location, now).await;
        }
        let used = LastUse {
            user_id: session.user_id,
            session_id: session.id,
            at: now,
            location: location.clone(),
        };
        let can_wait = session.expires_at.since(now) > self.flush_margin
            || session.expires_at >= session.end_if_used(now);
        let to_write = if can_wait {
            self.last_uses.keep(used)
        } else {
            Some(used)
        };
        match to_write {
            Some(used) => {
                self.db
                    .write(move |c| store::touch(c, &used).map(drop))
                    .await
            }
            None => Ok(()),
        }
    }

    /// A person's live sessions, newest use first.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn live_of(&self, owner: UserId) -> Result<Vec<Session>> {
        let now = self.clock.now();
        self.db.read(move |c| store::live_of(c, owner, now)).await
    }

    /// Everybody's live sessions with their owners, newest use first, at most `limit`.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn live_of_all(&self, limit: u32) -> Result<Vec<(Session, User)>> {
        let now = self.clock.now();
        self.db
            .read(move |c| store::live_of_all(c, now, i64::from(limit)))
            .await
    }

    /// One session of `owner`, live or ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session.
    pub async fn find(&self, owner: UserId, id: SessionId) -> Result<Session> {
        self.db
            .read(move |c| store::of_owner(c, owner, id)?.ok_or(Error::NotFound))
            .await
    }

    /// Whose session that is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn owner_of(&self, id: SessionId) -> Result<UserId> {
        self.db
            .read(move |c| store::owner_of(c, id)?.ok_or(Error::NotFound))
            .await
    }

    /// A page of what has ended, `limit` at most, going on `after` where the last page stopped.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn history(
        &self,
        owner: UserId,
        after: Option<HistoryCursor>,
        limit: u32,
    ) -> Result<HistoryPage> {
        let after = after.map(|HistoryCursor(at, id)| (at, id));
        let limit = limit as usize;
        let mut sessions = self
            .db
            .read(move |c| store::ended_of(c, owner, after, limit as i64 + 1))
            .await?;
        let has_more = sessions.len() > limit;
        sessions.truncate(limit);
        let last = sessions.last().filter(|_| has_more);
        let next = last.and_then(|last| Some(HistoryCursor(last.ended_at?, last.id)));
        Ok(HistoryPage { sessions, next })
    }

    /// A page of what happened to one session of `owner`, newest first, `limit` at most.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn activity(
        &self,
        owner: UserId,
        id: SessionId,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<EventPage> {
        events::of_session(&self.db, owner, id, before, limit).await
    }
}
