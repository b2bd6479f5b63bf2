//! Reading sessions, live and ended, and their events.

use std::collections::HashMap;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::values::{EndedReason, Jti};
use super::{Session, Sessions, store};
use crate::clock::Timestamp;
use crate::db::{Db, EventId, SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, EventPage, EventReader};
use crate::people::User;

/// Returns whether the database has any session, ended ones included.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn any_exists(db: &Db) -> Result<bool> {
    db.read(store::any_exists).await
}

/// The position at which a page of history continues: after the session with this end and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryCursor(Timestamp, SessionId);

impl HistoryCursor {
    /// Returns the cursor as opaque text.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.0.timestamp_micros(), self.1))
    }
}

impl From<&Session> for HistoryCursor {
    fn from(session: &Session) -> Self {
        Self(session.ended_at.unwrap_or(session.expires_at), session.id)
    }
}

impl FromStr for HistoryCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (at, id) = decoded.split_once('.')?;
            Some(Self(
                Timestamp::from_micros(at.parse().ok()?)?,
                id.parse().ok()?,
            ))
        };
        parse().ok_or_else(|| Error::field("cursor", "is not a valid cursor"))
    }
}

/// A page of a person's ended sessions, newest end first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// The position at which the next page continues, if there is one.
    pub next: Option<HistoryCursor>,
}

impl Sessions {
    /// Finds a live session and its active owner, if `jti` is `None` or the current one. Records no
    /// use.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_live(
        &self,
        owner: UserId,
        id: SessionId,
        jti: Option<Jti>,
    ) -> Result<Option<(Session, User)>> {
        let now = self.clock.now();
        let live = self
            .db
            .read(move |c| store::find_live(c, owner, id, now))
            .await?;
        Ok(live.filter(|(session, _)| jti.is_none_or(|jti| jti == session.jti())))
    }

    /// Lists a person's live sessions, newest use first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_live(&self, owner: UserId) -> Result<Vec<Session>> {
        let now = self.clock.now();
        self.db.read(move |c| store::list_live(c, owner, now)).await
    }

    /// Lists the sessions of `owner` that are not marked as ended, newest sign-in first: those before
    /// the one with the id `before`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_unended(
        &self,
        owner: UserId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>> {
        self.db
            .read(move |c| store::list_unended(c, owner, before, i64::from(limit)))
            .await
    }

    /// Lists the sessions of `owner` except one: those not marked as ended, newest use first, then
    /// ended ones, newest end first; at most `limit` of each.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_recent(
        &self,
        owner: UserId,
        except: SessionId,
        limit: u32,
    ) -> Result<Vec<Session>> {
        self.db
            .read(move |c| store::list_recent(c, owner, Some(except), limit))
            .await
    }

    /// Finds one session of `owner`, live or ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find(&self, owner: UserId, id: SessionId) -> Result<Option<Session>> {
        self.db.read(move |c| store::find(c, owner, id)).await
    }

    /// Returns one session of `owner`, live or ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session.
    pub async fn get(&self, owner: UserId, id: SessionId) -> Result<Session> {
        self.find(owner, id).await?.ok_or(Error::NotFound)
    }

    /// Lists those of `ids` that are sessions of `owner`, live or ended, newest sign-in first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_by_ids(&self, owner: UserId, ids: Vec<SessionId>) -> Result<Vec<Session>> {
        self.db
            .read(move |c| store::list_own_by_ids(c, owner, &ids))
            .await
    }

    /// Lists the sessions of `owner` that they signed out at `at` from their session `by`, at most 1,000.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_ended_at(
        &self,
        owner: UserId,
        by: SessionId,
        at: Timestamp,
    ) -> Result<Vec<Session>> {
        let mut ended = self
            .db
            .read(move |c| store::list_ended_at(c, owner, at))
            .await?;
        ended.retain(|session| session.ended_by == Some(by));
        Ok(ended)
    }

    /// Returns the owner of a session.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such session.
    pub async fn get_owner(&self, id: SessionId) -> Result<UserId> {
        self.db
            .read(move |c| store::find_owner(c, id)?.ok_or(Error::NotFound))
            .await
    }

    /// Lists a page of a person's ended sessions, at most `limit`, continuing after `after`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_ended(
        &self,
        owner: UserId,
        after: Option<HistoryCursor>,
        limit: u32,
    ) -> Result<HistoryPage> {
        let after = after.map(|HistoryCursor(at, id)| (at, id));
        let one_more = limit.saturating_add(1);
        let mut sessions = self
            .db
            .read(move |c| store::list_ended(c, owner, after, one_more))
            .await?;
        let has_more = sessions.len() > limit as usize;
        sessions.truncate(limit as usize);
        let last = sessions.last().filter(|_| has_more);
        let next = last.map(HistoryCursor::from);
        Ok(HistoryPage { sessions, next })
    }

    /// Lists the reasons that administrators stated for ending some of the sessions of `owner`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_stated_reasons(
        &self,
        owner: UserId,
        ended: &[Session],
    ) -> Result<HashMap<SessionId, String>> {
        let by_others = ended.iter().filter(|session| {
            let reason = session.ended_reason;
            matches!(
                reason,
                Some(EndedReason::Admin | EndedReason::AccountDisabled)
            )
        });
        let ids: Vec<SessionId> = by_others.map(|session| session.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let events = events::list_by_kind(&self.db, owner, ids, EventKind::Ended).await?;
        Ok(events
            .into_iter()
            .filter_map(|event| Some((event.session_id?, event.stated_reason?)))
            .collect())
    }

    /// Lists a page of the events of one session of `owner` for `reader`, newest first, at most `limit`,
    /// from before the event `before`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_activity(
        &self,
        owner: UserId,
        id: SessionId,
        (before, reader): (Option<EventId>, EventReader),
        limit: u32,
    ) -> Result<EventPage> {
        events::list_by_session(&self.db, owner, id, (before, reader), limit).await
    }
}
