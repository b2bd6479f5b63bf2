//! What the holder of a genuine session cookie may be told once its session is over: why it ended, when,
//! and from which device.

use std::slice;
use std::time::Duration;

use super::caller::Credential;
use super::{
    Claim, EndSource, EndedReason, Session, Sessions, is_same_network, list_on_reported, store,
};
use crate::alerts;
use crate::clock::Timestamp;
use crate::error::Result;

/// A session that is over.
#[derive(Debug)]
pub struct EndedSession {
    /// Why it ended.
    pub reason: EndedReason,
    /// When.
    pub at: Timestamp,
    /// The name of the device that it was ended from, if it was another session of the same person; its label
    /// and place, if that may be somebody else's.
    pub ended_by: Option<String>,
    /// Whether it was replaced by a session that was opened elsewhere: the same browser is in one place.
    pub is_replaced_elsewhere: bool,
    /// What ended it, if it was none of the person's other sessions.
    pub source: Option<EndSource>,
    /// Whether every session of the person was ended with it, from it.
    pub is_everywhere: bool,
    /// Whether another session is live on its device.
    pub is_device_signed_in: bool,
    /// How long it had not been used when it ended.
    pub unused: Duration,
    /// Whether it was ended since its person reported that it was not them.
    pub is_reported: bool,
    /// Whether it lasted as long as a session may, however often it is used.
    pub is_past_absolute_limit: bool,
}

impl Sessions {
    /// Finds the session of a cookie that is over: one past its expiry is, whether or not it is marked
    /// as expired yet. The cookie must have the last JTI of the session, or one that was replaced within
    /// the grace period before the end: an older one may be a copy. `None` for a session that is live,
    /// deleted or claimed by anything but a cookie.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn find_ended(&self, claim: Claim) -> Result<Option<EndedSession>> {
        let Credential::Cookie { jti, .. } = claim.credential else {
            return Ok(None);
        };
        let owner = claim.user;
        let Some(session) = self.find(owner, claim.session).await? else {
            return Ok(None);
        };
        // Sessions of another writer of the table may have no reason.
        let end = session.end_reason().zip(session.end_time(self.clock.now()));
        let Some((reason, at)) = end else {
            return Ok(None);
        };
        if self.by_cookie(&session, &jti, at).is_none() {
            return Ok(None);
        }
        let ended_by = match session.ended_by.filter(|by| *by != session.id) {
            Some(by) => self.db.read(move |c| store::find(c, owner, by)).await?,
            None => None,
        };
        let is_elsewhere = |by: &Session| {
            let is_known = by.ip_address.is_some() && session.ip_address.is_some();
            is_known && !is_same_network(by, &session)
        };
        let itself = vec![session.clone()];
        let sources = self.list_end_sources(owner, &itself).await?;
        let is_reported = !self.list_reported(owner, itself).await?.is_empty();
        Ok(Some(EndedSession {
            is_replaced_elsewhere: reason == EndedReason::Replaced
                && ended_by.as_ref().is_some_and(is_elsewhere),
            source: sources.get(&session.id).copied(),
            is_everywhere: reason == EndedReason::SignedOutRemotely
                && session.ended_by == Some(session.id),
            is_device_signed_in: self.is_device_signed_in(&session).await?,
            unused: session.unused_before_end(),
            is_reported,
            reason,
            at,
            ended_by: match ended_by {
                Some(by) => Some(self.name_actor(by).await?),
                None => None,
            },
            is_past_absolute_limit: session.is_past_absolute_limit(),
        }))
    }

    /// Returns whether another session is live on the device of one that is over.
    async fn is_device_signed_in(&self, session: &Session) -> Result<bool> {
        if session.device_id.is_none() {
            return Ok(false);
        }
        let live = self.list_live(session.user_id).await?;
        Ok(live.iter().any(|live| live.is_on_device_of(session)))
    }

    /// Returns what the device of a session that ended another one is called: by its label and place if it was
    /// reported, or has signed in since something that waits for an answer.
    async fn name_actor(&self, by: Session) -> Result<String> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let owner = by.user_id;
                let first = alerts::find_first_unconfirmed(c, owner, now)?;
                let is_reported = !list_on_reported(c, owner, slice::from_ref(&by))?.is_empty();
                Ok(
                    match is_reported || first.is_some_and(|first| by.created_at >= first) {
                        true => by.label_with_place(),
                        false => by.display_name(),
                    },
                )
            })
            .await
    }
}
