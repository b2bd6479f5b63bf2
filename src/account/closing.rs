//! Closing an account: disabling it, and deleting it.

use super::Accounts;
use super::emails::cancel_pending_change;
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::sessions::{EndedReason, Session};
use crate::{people, sessions};

impl Accounts {
    /// Ends every session of a person, and cancels their pending change of e-mail. Returns those
    /// that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn sign_out_everywhere(
        &self,
        id: UserId,
        reason: EndedReason,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                cancel_pending_change(c, &user)?;
                sessions::end_all(c, id, reason, &origin, now)
            })
            .await
    }

    /// Cancels every pending change of an e-mail, of everybody: before all sessions end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn cancel_all_changes(&self) -> Result<()> {
        let cancelled = self.db.write(people::store::delete_all_changes).await?;
        tracing::info!(cancelled, "pending changes of e-mails cancelled");
        Ok(())
    }

    /// Disables an account, so that its owner can't sign in, and ends all their sessions. Returns
    /// those that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn disable(&self, id: UserId, origin: Origin) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::AccountDisabled;

        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                people::store::disable(c, id, now)?;
                cancel_pending_change(c, &user)?;
                sessions::end_all(c, id, REASON, &origin, now)
            })
            .await
    }

    /// Deletes an account at the wish of its owner, as [`Accounts::delete`].
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service;
    /// [`Error::EmailChangedLately`] while a former e-mail can
    /// take the account back: an intruder must not delete it before;
    /// [`Error::NotFound`] when there is no such person.
    pub async fn delete_own(&self, id: UserId) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let is_admin = people::store::get(c, id)?.is_admin;
                if is_admin && people::store::lock_admins(c)? == [id] {
                    return Err(Error::LastAdmin);
                }
                if !people::store::list_open_former(c, id, now)?.is_empty() {
                    return Err(Error::EmailChangedLately);
                }
                people::store::delete(c, id)
            })
            .await
    }

    /// Deletes an account with its sessions, devices, events, alerts and queued messages.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn delete(&self, id: UserId) -> Result<()> {
        self.db.write(move |c| people::store::delete(c, id)).await
    }
}
