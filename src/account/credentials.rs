//! The credentials of an account: its password, and the e-mail that its owner signs in with.

use super::Accounts;
use crate::alerts::{AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, Email, PasswordHash, User};
use crate::sessions::{self, Caller, EndedReason, Session};

impl Accounts {
    /// Sets a new password, and ends every session except the one it is changed from, if any.
    /// Returns those that ended.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] when the password was changed since `user` was read;
    /// [`Error::Unauthenticated`] when the session it is changed from has ended.
    pub async fn change_password(
        &self,
        user: &User,
        hash: PasswordHash,
        origin: Origin,
        context: AlertContext,
    ) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::PasswordChanged;

        let now = self.clock.now();
        let alerts = self.alerts.clone();
        let user = user.clone();
        self.db
            .transaction(move |c| {
                let id = user.id;
                if let Some(session) = origin.session {
                    let live = sessions::store::find_live(c, id, session, now)?;
                    live.ok_or(Error::Unauthenticated)?;
                }
                people::store::update_password(c, &user, &hash, now)?;
                let user = people::store::get(c, id)?;
                alerts.raise(c, &user, (AlertKind::PasswordChanged, context), now)?;
                let event = NewEvent::for_person(id, EventKind::PasswordChanged, &origin, now);
                events::record_events(c, &[event])?;
                match origin.session {
                    Some(except) => sessions::end_others(c, id, except, REASON, &origin, now),
                    None => sessions::end_all(c, id, REASON, &origin, now),
                }
            })
            .await
    }

    /// Changes the e-mail that a person signs in with, and raises an alert, which is sent to the
    /// former one.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has it.
    pub async fn change_email(&self, caller: &Caller, email: Email) -> Result<()> {
        let now = self.clock.now();
        let alerts = self.alerts.clone();
        let (id, origin, context) = (caller.user.id, caller.origin(), caller.alert_context());
        self.db
            .transaction(move |c| {
                let before = people::store::get(c, id)?;
                if before.email == email.as_str() {
                    return Ok(());
                }
                people::store::update_email(c, id, &email, now)?;
                let event = NewEvent::for_person(id, EventKind::EmailChanged, &origin, now);
                events::record_events(c, &[event])?;
                alerts.raise(c, &before, (AlertKind::EmailChanged, context), now)
            })
            .await
    }
}

/// Restores the e-mail that a person had, as a part of a transaction, unless another account has
/// it.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person; [`Error::EmailTaken`] when another account
/// takes the e-mail at the same time.
pub(super) fn restore_email(
    c: &mut AnyConnection,
    id: UserId,
    email: &str,
    now: Timestamp,
) -> Result<()> {
    let email: Email = email.parse()?;
    match people::store::find_by_email(c, &email)? {
        Some(_) => Ok(()),
        None => people::store::update_email(c, id, &email, now),
    }
}
