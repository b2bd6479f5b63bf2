//! What a change of the account means for its sessions: both happen, or neither.

use super::end::{end_all, end_others};
use super::values::{EndedReason, Stay};
use super::{Caller, Session, Sessions, store};
use crate::alerts::{self, AlertKind, Scene};
use crate::db::UserId;
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, Email, IdleLimit, PasswordHash, User};

impl Sessions {
    /// Sets a new password and ends every session but the one it is changed from, if it is
    /// changed from one. Answers with those that ended.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`](crate::Error::InvalidCredentials) when the password was changed
    /// since the person was seen, [`Error::Unauthenticated`](crate::Error::Unauthenticated) when the
    /// session it is changed from is over.
    pub async fn change_password(
        &self,
        seen: &User,
        hash: PasswordHash,
        origin: Origin,
        scene: Scene,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::PasswordChanged;

        let now = self.clock.now();
        let alerts = self.alerts.clone();
        let seen = seen.clone();
        self.db
            .transaction(move |c| {
                let id = seen.id;
                if let Some(session) = origin.session {
                    store::live(c, id, session, now)?.ok_or(Error::Unauthenticated)?;
                }
                people::set_password(c, &seen, &hash, now)?;
                let user = people::by_id(c, id)?;
                alerts.raise(c, &user, (AlertKind::PasswordChanged, scene), now)?;
                events::record(
                    c,
                    &[NewEvent::of_person(
                        id,
                        EventKind::PasswordChanged,
                        &origin,
                        now,
                    )],
                )?;
                match origin.session {
                    Some(keep) => end_others(c, id, keep, REASON, &origin, now),
                    None => end_all(c, id, REASON, &origin, now),
                }
            })
            .await
    }

    /// Sets how long a person's devices may go unused, for those signed in and those to come.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn limit_idle(&self, id: UserId, limit: Option<IdleLimit>) -> Result<()> {
        // What waits in memory was used a moment ago; the rows must know it first.
        self.flush_last_uses().await?;
        let now = self.clock.now();
        let idle = |stay| {
            let seconds = self.policy.idle_limit(stay, limit).as_secs();
            (stay, i32::try_from(seconds).unwrap_or(i32::MAX))
        };
        let limits = [idle(Stay::Brief), idle(Stay::Remembered)];
        self.db
            .transaction(move |c| {
                people::set_idle_limit(c, id, limit, now)?;
                for (stay, seconds) in limits {
                    store::limit_idle(c, id, stay, seconds, now)?;
                }
                Ok(())
            })
            .await
    }

    /// Changes what a person signs in with, and tells them at the one they had.
    ///
    /// # Errors
    /// [`Error::EmailTaken`](crate::Error::EmailTaken).
    pub async fn change_email(&self, caller: &Caller, email: Email) -> Result<()> {
        let now = self.clock.now();
        let alerts = self.alerts.clone();
        let (id, origin, scene) = (caller.user.id, caller.origin(), caller.scene());
        self.db
            .transaction(move |c| {
                let before = people::by_id(c, id)?;
                if before.email == email.as_str() {
                    return Ok(());
                }
                people::set_email(c, id, &email, now)?;
                let event = NewEvent::of_person(id, EventKind::EmailChanged, &origin, now);
                events::record(c, &[event])?;
                alerts.raise(c, &before, (AlertKind::EmailChanged, scene), now)
            })
            .await
    }

    /// Sets what is kept of the addresses a person comes from. What is kept already is made no more
    /// than that.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn keep_addresses(&self, id: UserId, keeping: AddressKeeping) -> Result<()> {
        // An address that waits in memory must not come after this.
        self.flush_last_uses().await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                people::set_address_keeping(c, id, keeping, now)?;
                if keeping == AddressKeeping::Whole {
                    return Ok(());
                }
                alerts::keep_addresses(c, id, keeping)?;
                for (session, ip) in store::addresses_of(c, id)? {
                    store::set_address(c, id, session, keeping.keep(&ip).as_deref())?;
                }
                events::keep_addresses(c, id, keeping)
            })
            .await
    }

    /// Bars a person from signing in and ends all their sessions. Answers with those that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn disable_account(&self, id: UserId, origin: Origin) -> Result<Vec<Session>> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                people::deactivate(c, id, now)?;
                end_all(c, id, EndedReason::AccountDisabled, &origin, now)
            })
            .await
    }
}
