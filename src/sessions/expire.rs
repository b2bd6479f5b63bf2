//! Expiry: marks expired sessions as ended, and purges ended ones past their retention. It need not
//! be timely, since every read compares the expiry with the clock.

use super::Sessions;
use super::store::{self, Session};
use super::values::EndedReason;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, NodeLock, SessionId, UserId};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::throttles;

/// The batches of addresses that one sweep gives their sortable form.
const KEY_BATCHES: usize = 50;

impl Sessions {
    /// Marks every expired session as ended, in batches, unless another node does so. Returns how
    /// many were marked.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was marked until then stays marked.
    pub async fn expire(&self) -> Result<usize> {
        let now = self.clock.now();
        let limit = i64::from(self.sweep_batch);
        let batch = move |c: &mut AnyConnection| {
            let due = store::list_due(c, now, limit)?;
            let expired = expire(c, &due, now)?;
            // Those that were used since they were last due.
            store::update_sweep_time(c, &due, now)?;
            Ok((due.len(), expired))
        };
        let mut marked = 0;
        while let Some((due, expired)) = self
            .db
            .transaction_with_lock(NodeLock::Sweep, batch)
            .await?
        {
            marked += expired;
            if due == 0 {
                break;
            }
        }
        Ok(marked)
    }

    /// Stores the sortable form of addresses that were stored without one, in some batches, unless
    /// another node does so. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was stored until then stays stored.
    pub async fn fill_ip_keys(&self) -> Result<usize> {
        let limit = i64::from(self.sweep_batch);
        self.db
            .repeat_some_with_lock(NodeLock::Sweep, KEY_BATCHES, move |c| {
                let without = store::list_without_ip_key(c, limit)?;
                without.iter().try_fold(0, |rows, (id, ip)| {
                    Ok(rows + store::update_ip_key(c, *id, ip)?)
                })
            })
            .await
    }

    /// Marks a person's expired sessions as ended. Returns how many were marked.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn expire_own(&self, owner: UserId) -> Result<usize> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let expired = store::list_expired_by_person(c, owner, now)?;
                expire(c, &expired, now)
            })
            .await
    }

    /// Purges ended sessions past their retention, in batches, unless another node does so. Returns
    /// how many were purged.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was purged until then stays purged.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.clock.now() - self.policy.retention;
        let limit = i64::from(self.sweep_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                let ended = store::list_ended_before(c, before, limit)?;
                throttles::forget_sessions(c, &ended)?;
                store::purge(c, &ended)
            })
            .await
    }

    /// Forgets the recent rotations of sessions whose last one is past the grace period, in
    /// batches, unless another node does so. Returns how many sessions had some.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was forgotten until then stays forgotten.
    pub async fn clear_rotations(&self) -> Result<usize> {
        let before = self.clock.now() - self.refresh_grace;
        let limit = i64::from(self.sweep_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                let past = store::list_rotated_before(c, before, limit)?;
                match past.is_empty() {
                    true => Ok(0),
                    false => store::clear_rotations(c, &past, before),
                }
            })
            .await
    }

    /// Writes the buffered last uses. Returns how many rows changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; the
    /// uses stay in the buffer. [`Error::Internal`](crate::Error::Internal) when their writer is
    /// not running.
    pub async fn flush_last_uses(&self) -> Result<usize> {
        self.last_uses.flush().await
    }
}

fn expire(c: &mut AnyConnection, ids: &[SessionId], now: Timestamp) -> Result<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let expired = store::expire(c, ids, now)?;
    let event = |session: &Session| {
        let (owner, id, at) = (session.user_id, session.id, session.expires_at);
        NewEvent::for_session(owner, id, EventKind::Ended, &Origin::default(), at)
            .with_detail(EndedReason::Expired.as_str())
    };
    events::record_events(c, &expired.iter().map(event).collect::<Vec<_>>())?;
    Ok(expired.len())
}
