//! Taking an account back: the mailbox of a former address undoes what came after it.

use super::Accounts;
use super::credentials::secure_orders;
use super::review_record::{CONFIRMED, record_review};
use crate::alerts::{Alert, AlertContext, AlertKind, AlertReview, Alerts, Settlement};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, FormerEmailId, LinkId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::store::{FormerEmail, FormerState};
use crate::people::{self, Email, LinkAct, User, VoidPassword};
use crate::sessions::{self, EndedReason};
use crate::{alerts, devices};

/// What became of the e-mail of an account that was taken back. Its sessions have ended and its
/// password is void in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// The account has the former address again.
    Restored {
        /// The address.
        email: String,
    },
    /// Another account has the former address by now, so this one has none that anybody reads: an
    /// administrator has to set one.
    EmailUnavailable {
        /// The former address.
        email: String,
    },
}

impl Accounts {
    /// Takes an account back by the mailbox of a former address: restores that address, reports
    /// what came after it, ends every session, forgets the known devices, cancels what is pending,
    /// and voids the password.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the address was reported, its window has ended, or it was taken
    /// back by it before.
    pub async fn take_back(&self, id: FormerEmailId, origin: Origin) -> Result<TakenBack> {
        let at = self.clock.now();
        let take_back = TakeBack::new(origin, None, at)?;
        let alerts = self.alerts.clone();
        self.db
            .transaction(move |c| {
                let (user, former) = lock_open(c, id, at)?;
                take_back.run(c, &alerts, &user, &former)
            })
            .await
    }

    /// Confirms by the mailbox of a former address that its change was the owner's own: its window
    /// ends. By `link` it is told later that this was done.
    ///
    /// # Errors
    /// As [`Accounts::take_back`].
    pub async fn confirm_email_change(&self, id: FormerEmailId, link: LinkId) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let (user, former) = lock_open(c, id, now)?;
                people::store::record_used_link(c, link, LinkAct::ChangeConfirmed, now)?;
                for other in people::store::list_open_former(c, user.id, now)? {
                    if other.email == former.email {
                        people::store::update_former_state(c, other.id, FormerState::Closed)?;
                    }
                }
                for alert in alerts::list_open(c, user.id, now)? {
                    if alert.kind.is_email_change() && alert.email == former.email {
                        let settlement = Settlement::of(alert.id, AlertReview::Confirmed, now);
                        alerts::review(c, user.id, alert.id, settlement)?;
                        record_review(c, user.id, CONFIRMED, &Origin::default(), now)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Taking one account back.
pub(super) struct TakeBack {
    void: VoidPassword,
    origin: Origin,
    /// The alert whose report takes the account back, if one does.
    reported: Option<AlertId>,
    at: Timestamp,
}

impl TakeBack {
    /// Returns what is needed to take an account back at `at`, by the report of an alert if by one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub(super) fn new(origin: Origin, reported: Option<AlertId>, at: Timestamp) -> Result<Self> {
        Ok(Self {
            void: VoidPassword::random()?,
            origin,
            reported,
            at,
        })
    }

    /// Takes the account back, as a part of a transaction in which its person is locked. Addresses
    /// from before `former` are told, since they can take it back in turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(super) fn run(
        &self,
        c: &mut AnyConnection,
        alerts: &Alerts,
        user: &User,
        former: &FormerEmail,
    ) -> Result<TakenBack> {
        let (id, now) = (user.id, self.at);
        report_later(c, former, now)?;
        self.report_alerts(c, former)?;
        people::store::void_password(c, id, &self.void, now)?;
        // An intruder switches them off first.
        people::store::update_alert_emails(c, id, true, now)?;
        people::store::delete_verifications(c, id)?;
        people::store::delete_resets(c, id)?;
        secure_orders(c, id, &self.origin, now)?;
        devices::store::delete_all(c, id)?;
        sessions::end_all(c, id, EndedReason::SignedOutRemotely, &self.origin, now)?;
        let event = NewEvent::for_person(id, EventKind::TakenBack, &self.origin, now);
        events::record_events(c, &[event])?;
        let restored = restore(c, user, former, now)?;
        let older = people::store::list_open_former(c, id, now)?;
        if older
            .iter()
            .any(|older| older.changed_at < former.changed_at)
        {
            let context = AlertContext::mailbox(self.origin.ip.clone());
            alerts.raise(c, user, (AlertKind::EmailChanged, context), now)?;
        }
        Ok(restored)
    }

    /// Reports every open alert: by the alert that was reported, or by that of the change which is
    /// undone.
    fn report_alerts(&self, c: &mut AnyConnection, former: &FormerEmail) -> Result<()> {
        let (owner, at) = (former.user_id, self.at);
        let open = alerts::list_open(c, owner, at)?;
        let is_undone = |alert: &&Alert| {
            let is_former = alert.email == former.email && alert.at == former.changed_at;
            alert.kind.is_email_change() && is_former
        };
        let undone = || open.iter().find(is_undone).map(|alert| alert.id);
        let settlement = Settlement {
            review: AlertReview::Reported,
            by: self.reported.or_else(undone),
            confirmer: None,
            at,
        };
        for alert in &open {
            alerts::review(c, owner, alert.id, settlement)?;
        }
        Ok(())
    }
}

/// Returns a former address whose window is open, and its person, locked. The person is locked
/// first, so that two requests can't deadlock.
fn lock_open(
    c: &mut AnyConnection,
    id: FormerEmailId,
    now: Timestamp,
) -> Result<(User, FormerEmail)> {
    let found = people::store::get_former(c, id)?;
    let user = people::store::lock(c, found.user_id)?;
    let former = people::store::get_former(c, id)?;
    match former.is_open(now) {
        true => Ok((user, former)),
        false => Err(Error::NotFound),
    }
}

/// Restores a former address, or leaves the account without one where another account has it.
fn restore(
    c: &mut AnyConnection,
    user: &User,
    former: &FormerEmail,
    now: Timestamp,
) -> Result<TakenBack> {
    let email: Email = former.email.parse()?;
    if people::find_other_holder(c, &email, user.id, now)?.is_some() {
        people::store::remove_email(c, user.id, now)?;
        return Ok(TakenBack::EmailUnavailable {
            email: former.email.clone(),
        });
    }
    people::store::update_email(c, user.id, &email, now)?;
    people::store::update_former_state(c, former.id, FormerState::Closed)?;
    Ok(TakenBack::Restored {
        email: former.email.clone(),
    })
}

/// Reports the addresses that came after a former one: from now on they get no messages, and the
/// links in those that they have are void.
pub(super) fn report_later(
    c: &mut AnyConnection,
    former: &FormerEmail,
    now: Timestamp,
) -> Result<()> {
    let owner = former.user_id;
    for later in people::store::list_open_former(c, owner, now)? {
        if later.changed_at > former.changed_at {
            let state = match later.email == former.email {
                true => FormerState::Closed,
                false => FormerState::Reported,
            };
            people::store::update_former_state(c, later.id, state)?;
        }
    }
    Ok(())
}
