//! Purging the links and the former addresses of people once they have no use any more.

use std::time::Duration;

use super::{People, store};
use crate::db::NodeLock;
use crate::error::Result;

/// How long a former address is stored after its window has ended, so that what became of it can be
/// told.
const FORMER_RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long it is stored what a link in a message did: as long as most of them work.
const USED_LINK_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl People {
    /// Purges expired links, what links did 7 days ago, and former addresses whose window ended 90 days ago, in batches,
    /// unless another node does. Returns how many rows were deleted.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was purged until then stays purged.
    pub async fn purge(&self) -> Result<usize> {
        let now = self.clock.now();
        let (before, limit) = (now - FORMER_RETENTION, i64::from(self.purge_batch));
        let purges = [
            self.db
                .repeat_with_lock(NodeLock::Sweep, move |c| {
                    store::purge_verifications(c, now, limit)
                })
                .await?,
            self.db
                .repeat_with_lock(NodeLock::Sweep, move |c| store::purge_resets(c, now, limit))
                .await?,
            self.db
                .repeat_with_lock(NodeLock::Sweep, move |c| {
                    store::purge_former(c, before, limit)
                })
                .await?,
            self.db
                .repeat_with_lock(NodeLock::Sweep, move |c| {
                    store::purge_used_links(c, now - USED_LINK_RETENTION, limit)
                })
                .await?,
        ];
        Ok(purges.iter().sum())
    }
}
