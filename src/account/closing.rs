//! Closing an account: disabling it, and deleting it.

use super::Accounts;
use crate::db::UserId;
use crate::error::Result;
use crate::events::Origin;
use crate::sessions::{EndedReason, Session};
use crate::{people, sessions};

impl Accounts {
    /// Disables an account, so that its owner can't sign in, and ends all their sessions. Returns
    /// those that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn disable(&self, id: UserId, origin: Origin) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::AccountDisabled;

        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                people::store::disable(c, id, now)?;
                sessions::end_all(c, id, REASON, &origin, now)
            })
            .await
    }

    /// Deletes an account with its sessions, devices, events, alerts and queued messages.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn delete(&self, id: UserId) -> Result<()> {
        self.db.write(move |c| people::store::delete(c, id)).await
    }
}
