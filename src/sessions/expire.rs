//! Tidying: marks what is past its time, deletes what is past its retention, writes last uses.
//! Nothing relies on it to be timely; every read compares the clock itself.

use std::time::Duration;

use super::values::EndedReason;
use super::{Session, Sessions, store};
use crate::db::{AnyConnection, SessionId, Timestamp, UserId};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::{alerts, devices};

/// The longest that browsers keep a cookie (RFC 6265bis, 5.5): a device not seen for longer is a new
/// one when it comes again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// What one round of tidying did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions marked as expired.
    pub expired: usize,
    /// Ended sessions deleted.
    pub purged: usize,
}

impl Sessions {
    /// Marks and purges, batch by batch, until nothing is left to do or another node does it.
    ///
    /// # Errors
    /// When the database doesn't answer; what was done until then stays done.
    pub async fn sweep(&self) -> Result<Swept> {
        let now = self.clock.now();
        let mut swept = Swept::default();
        while let Some(rows) = self.expire_batch(now).await?.filter(|rows| *rows > 0) {
            swept.expired += rows;
        }
        while let Some(rows) = self.purge_batch(now).await?.filter(|rows| *rows > 0) {
            swept.purged += rows;
        }
        while self.forget_batch(now).await?.is_some_and(|rows| rows > 0) {}
        Ok(swept)
    }

    /// Writes the last uses that wait in memory. Answers how many rows changed.
    ///
    /// # Errors
    /// When the database doesn't take them; they wait on.
    pub async fn flush_last_uses(&self) -> Result<usize> {
        self.last_uses.flush(&self.db).await
    }

    /// Marks what a person has past its time. Answers how many.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn expire_own(&self, owner: UserId) -> Result<usize> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let due = store::due_of(c, owner, now)?;
                expire(c, &due, now)
            })
            .await
    }

    /// None when another node is sweeping.
    async fn expire_batch(&self, now: Timestamp) -> Result<Option<usize>> {
        let limit = i64::from(self.sweep_batch);
        self.db
            .transaction(move |c| {
                if !store::may_sweep(c)? {
                    return Ok(None);
                }
                let due = store::due(c, now, limit)?;
                expire(c, &due, now).map(Some)
            })
            .await
    }

    /// Forgets devices whose browser has forgotten us, and alerts past their retention.
    async fn forget_batch(&self, now: Timestamp) -> Result<Option<usize>> {
        let limit = i64::from(self.sweep_batch);
        let before = now - self.policy.retention;
        self.db
            .transaction(move |c| {
                if !store::may_sweep(c)? {
                    return Ok(None);
                }
                alerts::purge(c, before)?;
                devices::store::forget_unseen(c, now - FORGOTTEN_AFTER, limit).map(Some)
            })
            .await
    }

    async fn purge_batch(&self, now: Timestamp) -> Result<Option<usize>> {
        let limit = i64::from(self.sweep_batch);
        let before = now - self.policy.retention;
        self.db
            .transaction(move |c| {
                if !store::may_sweep(c)? {
                    return Ok(None);
                }
                let past = store::past(c, before, limit)?;
                store::delete(c, &past).map(Some)
            })
            .await
    }
}

fn expire(c: &mut AnyConnection, due: &[SessionId], now: Timestamp) -> Result<usize> {
    if due.is_empty() {
        return Ok(0);
    }
    let expired = store::expire(c, due, now)?;
    let event = |session: &Session| {
        NewEvent::of_session(
            session.user_id,
            session.id,
            EventKind::Ended,
            &Origin::default(),
            session.expires_at,
        )
        .with_detail(EndedReason::Expired.as_str())
    };
    events::record(c, &expired.iter().map(event).collect::<Vec<_>>())?;
    Ok(expired.len())
}
