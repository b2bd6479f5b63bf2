//! Closing an account: signing out of it everywhere, and deleting it.

use super::Accounts;
use super::emails::cancel_pending_change;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::net::IpRetention;
use crate::sessions::{EndedReason, Session};
use crate::{events, people, sessions, throttles};

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
                delete_person(c, id, now)
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
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                accounts.lock_person(c, id)?.require_another_admin()?;
                delete_person(c, id, now)
            })
            .await?;
        let by = origin.user.map(|by| by.to_string());
        tracing::info!(user = %id, by = by.as_deref().unwrap_or("the command line"), "an administrator deleted an account");
        Ok(())
    }
}

/// Deletes a person, whom the caller has locked. What they did to others stays recorded, without
/// their addresses; what they ordered stops.
pub(super) fn delete_person(c: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<()> {
    // A batch that is running has its job locked before sessions, and is over after this.
    sessions::store::stop_jobs_of(c, id, now)?;
    sessions::store::lock_of_people(c, &[id])?;
    events::redact_addresses_by(c, id, IpRetention::None)?;
    throttles::lift(c, id)?;
    people::store::delete(c, id)
}
