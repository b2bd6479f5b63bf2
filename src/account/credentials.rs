//! The password of an account. Setting one ends sessions, cancels a pending change of e-mail, and
//! revokes what the account ordered.

use std::time::Duration;

use super::Accounts;
use super::closing::revoke_orders;
use super::emails::cancel_pending_change;
use crate::alerts::{self, Alert, AlertContext, AlertKind, AlertReview, Alerts};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, PasswordHash, User};
use crate::sessions::bulk::{Stop, StopCause};
use crate::sessions::{self, Caller, EndedReason, Session};
use crate::throttles;

const REASON: EndedReason = EndedReason::PasswordChanged;
/// How often a person changes the password within [`SPAN`], at most: each change is told of by e-mail.
const MAX_CHANGES: usize = 5;
const SPAN: Duration = Duration::from_secs(60 * 60);

impl Accounts {
    /// Changes the password within a session, after the current one was verified. Ends every other
    /// session, stops the jobs that the person ordered and voids the links that they made for others:
    /// an intruder may have. Returns this session with its new JTI and its owner. The links in the
    /// person's messages stay valid: whoever changes the password may not be its owner.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] when the password was
    /// changed since `caller` was read; [`Error::Unauthenticated`]
    /// when the session has ended; [`Error::TooManyChanges`] when it was changed too often within an hour.
    pub async fn change_password(
        &self,
        caller: &Caller,
        hash: PasswordHash,
    ) -> Result<(Session, User)> {
        let now = self.clock.now();
        let step_up = self.sessions.new_step_up(caller)?;
        let alerts = self.alerts.clone();
        let (user, session) = (caller.user.clone(), caller.session.id);
        let (origin, context) = (caller.origin(), caller.alert_context());
        self.db
            .transaction(move |c| {
                secure_orders(c, user.id, &origin, now)?;
                limit_changes(c, user.id, now)?;
                update(c, &alerts, (&user, &hash), (&origin, context), now)?;
                sessions::end_others(c, user.id, session, REASON, &origin, now)?;
                let session = sessions::record_step_up(c, &step_up)?;
                Ok((session, people::store::get(c, user.id)?))
            })
            .await
    }

    /// Sets a new password from outside every session: through a mailbox, or by an administrator.
    /// Ends every session, voids every other link that sets one and those that the person made for
    /// others, and stops the jobs that they ordered. Returns the sessions that ended.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] when the password was
    /// changed since `user` was read.
    pub async fn set_password(
        &self,
        user: &User,
        hash: PasswordHash,
        origin: Origin,
        context: AlertContext,
    ) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let accounts = self.clone();
        let user = user.clone();
        self.db
            .transaction(move |c| {
                accounts.set_from_outside(c, &user, &hash, (&origin, context), now)
            })
            .await
    }

    /// Sets a new password from outside every session, as a part of a transaction.
    ///
    /// # Errors
    /// As [`Accounts::set_password`].
    pub(super) fn set_from_outside(
        &self,
        c: &mut AnyConnection,
        user: &User,
        hash: &PasswordHash,
        (origin, context): (&Origin, AlertContext),
        now: Timestamp,
    ) -> Result<Vec<Session>> {
        people::store::void_password_links(c, user, now)?;
        people::store::delete_resets(c, user.id)?;
        secure_orders(c, user.id, origin, now)?;
        let ended = sessions::end_all(c, user.id, REASON, origin, now)?;
        update(c, &self.alerts, (user, hash), (origin, context), now)?;
        Ok(ended)
    }
}

/// Stops the jobs of a person and voids the links that they made, since somebody else may have had the
/// account. Locks the person: whoever makes a link locks its maker as well.
pub(super) fn secure_orders(
    c: &mut AnyConnection,
    id: UserId,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    people::store::lock(c, id)?;
    let cause = StopCause::Secured;
    revoke_orders(c, id, Stop { cause, origin }, now)
}

/// Verifies that a person, whom the caller has locked, has not changed the password too often lately, since they last
/// set one by a link. What they reported somebody else did.
fn limit_changes(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<()> {
    let mut changes = alerts::store::list_of_kind(c, user, AlertKind::PasswordChanged)?;
    let is_reported = |alert: &Alert| matches!(alert.review(), Some((AlertReview::Reported, _)));
    let is_by_link = |alert: &Alert| alert.session_id.is_none();
    changes.retain(|it| now.since(it.at) < SPAN && !is_reported(it));
    changes.truncate(changes.iter().take_while(|it| !is_by_link(it)).count());
    match changes.get(MAX_CHANGES - 1) {
        Some(first) => {
            let left = SPAN - now.since(first.at);
            let retry_after = Duration::from_secs(left.as_secs() + 1);
            Err(Error::TooManyChanges { retry_after })
        }
        None => Ok(()),
    }
}

/// Updates the password, which lifts every delay, cancels a pending change of e-mail, and tells the
/// person.
fn update(
    c: &mut AnyConnection,
    alerts: &Alerts,
    (user, hash): (&User, &PasswordHash),
    (origin, context): (&Origin, AlertContext),
    now: Timestamp,
) -> Result<()> {
    // Locked first, as by everything that changes an account.
    people::store::lock(c, user.id)?;
    people::store::update_password(c, user, hash, now)?;
    throttles::lift(c, user.id)?;
    let user = people::store::get(c, user.id)?;
    cancel_pending_change(c, &user, origin, now)?;
    let kind = match context.act {
        Some(_) => AlertKind::Administered,
        None => AlertKind::PasswordChanged,
    };
    alerts.raise(c, &user, (kind, context), now)?;
    let event = NewEvent::for_person(user.id, EventKind::PasswordChanged, origin, now);
    events::record_events(c, &[event])
}
