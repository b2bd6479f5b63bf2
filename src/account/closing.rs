//! Closing an account: signing out of it everywhere, and deleting it.

use super::Accounts;
use super::emails::cancel_pending_change;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::{EventKind, NewEvent, Origin};
use crate::net::IpRetention;
use crate::sessions::bulk::{Stop, StopCause, stop_jobs_of};
use crate::sessions::{Caller, EndedReason, Session};
use crate::{events, people, sessions, throttles};

impl Accounts {
    /// Ends every session of a person, and cancels their pending change of e-mail. Returns those
    /// that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person, or an administrator who does it is none any
    /// more.
    pub async fn sign_out_everywhere(
        &self,
        id: UserId,
        reason: EndedReason,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let user = match reason {
                    EndedReason::Admin => accounts.lock_person_for(c, id, &origin, now)?.0.user,
                    _ => people::store::lock(c, id)?,
                };
                cancel_pending_change(c, &user, &origin, now)?;
                sessions::end_all(c, id, reason, &origin, now)
            })
            .await
    }

    /// Ends the sessions of a person that were signed in by `until`, on behalf of an administrator, and
    /// cancels their pending change of e-mail. Ordered again, it ends nothing that began since.
    ///
    /// # Errors
    /// As [`Self::sign_out_everywhere`].
    pub async fn end_sessions_until(
        &self,
        id: UserId,
        until: Timestamp,
        origin: Origin,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::Admin;

        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, _) = accounts.lock_person_for(c, id, &origin, now)?;
                cancel_pending_change(c, &person.user, &origin, now)?;
                sessions::end_signed_in_by(c, (id, until), REASON, &origin, now)
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

    /// Deletes an account at the wish of its owner, with its sessions, devices, alerts and queued
    /// messages, and what identifies it in its events. That it was deleted is recorded.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service;
    /// [`Error::EmailChangedLately`] while a former e-mail can take the account back: an intruder
    /// must not delete it before; [`Error::Unauthenticated`] when the caller's session has ended
    /// meanwhile; [`Error::NotFound`] when there is no such person.
    pub async fn delete_own(&self, caller: &Caller) -> Result<()> {
        let now = self.clock.now();
        let accounts = self.clone();
        let (id, session) = (caller.user.id, caller.session.id);
        self.db
            .transaction(move |c| {
                let person = accounts.lock_person(c, id)?;
                sessions::store::lock_running_jobs_of(c, id)?;
                // Whoever has the account may have signed this session out while it waited.
                sessions::store::lock_of_people(c, &[id])?;
                let live = sessions::store::find_live(c, id, session, now)?;
                live.ok_or(Error::Unauthenticated)?;
                person.require_another_admin()?;
                let open = people::store::list_open_former(c, id, now)?;
                if let Some(until) = open.iter().map(|former| former.expires_at).max() {
                    return Err(Error::EmailChangedLately { until });
                }
                // Neither the session nor the address: they are the person's, and go with them.
                let origin = Origin {
                    user: Some(id),
                    ..Origin::default()
                };
                delete_person(c, id, (&origin, None), now)
            })
            .await
    }

    /// Deletes an account on behalf of an administrator, with its sessions, devices, alerts and
    /// queued messages, and what identifies it in its events. That it was deleted is recorded, with who did
    /// it and why.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service; [`Error::NotFound`] when
    /// there is no such person, or whoever does it is no administrator any more.
    pub async fn admin_delete(&self, id: UserId, origin: Origin) -> Result<()> {
        let now = self.clock.now();
        let accounts = self.clone();
        let by = origin.user.map(|by| by.to_string());
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                person.require_another_admin()?;
                let authority = match origin.user == Some(id) {
                    true => authority.without_location(),
                    false => authority,
                };
                delete_person(c, id, (authority.origin(), None), now)
            })
            .await?;
        tracing::info!(user = %id, by = by.as_deref().unwrap_or("the command line"), "an administrator deleted an account");
        Ok(())
    }
}

/// Deletes a person, whom the caller has locked, and records who did it, with a detail. What they did to
/// others stays recorded, without their addresses; what they ordered stops, and the links that they made
/// are void.
pub(super) fn delete_person(
    c: &mut AnyConnection,
    id: UserId,
    (origin, detail): (&Origin, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    let cause = StopCause::Deleted;
    let mut recorded = stop_jobs_of(c, id, Stop { cause, origin }, now)?;
    people::store::delete_resets_by(c, id)?;
    sessions::store::lock_of_people(c, &[id])?;
    events::redact_addresses_by(c, id, IpRetention::None)?;
    throttles::lift(c, id)?;
    people::store::delete(c, id)?;
    // After it: it redacts the events of the person.
    let deletion = NewEvent::for_person(id, EventKind::AccountDeleted, origin, now);
    recorded.push(match detail {
        Some(detail) => deletion.with_detail(detail),
        None => deletion,
    });
    events::record_events(c, &recorded)
}

/// Stops the jobs that a person ordered and deletes the links that they made, once they are no
/// administrator any more or somebody else may have had the account; the caller has locked them.
/// Whoever makes either has locked them as well, so none comes later from a session that has ended.
pub(super) fn revoke_orders(
    c: &mut AnyConnection,
    id: UserId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<()> {
    // A batch that is running has its job locked before sessions, and is over after this.
    let stopped = stop_jobs_of(c, id, stop, now)?;
    events::record_events(c, &stopped)?;
    people::store::delete_resets_by(c, id)?;
    Ok(())
}
