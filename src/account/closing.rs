//! Closing an account: signing out of it everywhere, and deleting it.

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

    /// Deletes an account at the wish of its owner, with its sessions, devices, events, alerts and
    /// queued messages.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service;
    /// [`Error::EmailChangedLately`] while a former e-mail can take the account back: an intruder
    /// must not delete it before; [`Error::NotFound`] when there is no such person.
    pub async fn delete_own(&self, id: UserId) -> Result<()> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                accounts.lock_person(c, id)?.require_another_admin()?;
                if !people::store::list_open_former(c, id, now)?.is_empty() {
                    return Err(Error::EmailChangedLately);
                }
                people::store::delete(c, id)
            })
            .await
    }

    /// Deletes an account on behalf of an administrator, with its sessions, devices, events, alerts
    /// and queued messages. Since its events go as well, only the log says who did it.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service; [`Error::NotFound`] when
    /// there is no such person.
    pub async fn admin_delete(&self, id: UserId, origin: Origin) -> Result<()> {
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                accounts.lock_person(c, id)?.require_another_admin()?;
                people::store::delete(c, id)
            })
            .await?;
        let by = origin.user.map(|by| by.to_string());
        tracing::info!(user = %id, by = by.as_deref().unwrap_or("the command line"), "an administrator deleted an account");
        Ok(())
    }
}
