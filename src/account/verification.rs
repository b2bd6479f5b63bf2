//! The verification of an e-mail by a link: at sign-up, and when it is changed.

use super::Accounts;
use super::closing::delete_person;
use super::emails::require_free;
use super::take_back::report_later;
use crate::alerts::{AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, FormerEmailId, UserId, VerificationId};
use crate::error::{Error, Result};
use crate::events::{self, DECLINED, EventKind, NewEvent, Origin};
use crate::people::store::{EmailVerification, FormerEmail, FormerState};
use crate::people::{self, Email, LinkAct, Role, User};

/// An address that a link is about, and the account that it is to be verified for.
#[derive(Debug)]
pub struct PendingEmail {
    /// The account.
    pub user: User,
    /// The address.
    pub email: String,
}

impl PendingEmail {
    /// Returns whether the account is to change to the address, rather than to verify its own.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.user.email != self.email
    }
}

/// The outcome of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The account's own e-mail is verified.
    Own,
    /// The account has the new e-mail, and it is verified.
    Changed,
    /// Another account has the address by now; the change is cancelled.
    Taken,
}

/// What became of an address whose reader said that it isn't theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// The change to it is cancelled.
    CancelledChange,
    /// The account that was made with it is deleted.
    DeletedAccount,
    /// The account stays, and sends nothing to it any more.
    SparedAccount,
}

impl Accounts {
    /// Returns the address that a verification link is about.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was used, cancelled or replaced, has expired, the account is
    /// disabled, or an administrator has vouched for the address since.
    pub async fn get_pending_email(&self, id: VerificationId) -> Result<PendingEmail> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let found = people::store::find_verification(c, id, now)?;
                let EmailVerification { user_id, email, .. } = found.ok_or(Error::NotFound)?;
                let user = people::store::get(c, user_id)?;
                let is_done = user.email == email && user.email_verified_at.is_some();
                match user.is_active && !is_done {
                    true => Ok(PendingEmail { user, email }),
                    false => Err(Error::NotFound),
                }
            })
            .await
    }

    /// Returns whether a verification link would still work if the account were not disabled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn is_of_disabled(&self, id: VerificationId) -> Result<bool> {
        let now = self.clock.now();
        self.db
            .read(
                move |c| match people::store::find_verification(c, id, now)? {
                    Some(found) => Ok(!people::store::get(c, found.user_id)?.is_active),
                    None => Ok(false),
                },
            )
            .await
    }

    /// Verifies the address of a link, which the caller must have been found entitled to: signed in
    /// to the account that `pending` names, or with its password. A change takes effect now: the
    /// former address is told, and can take the account back for a while.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the link was used or cancelled meanwhile;
    /// [`Error::InvalidCredentials`] when the password was changed since `pending` was read.
    pub async fn verify_email(
        &self,
        id: VerificationId,
        pending: &PendingEmail,
        origin: Origin,
        context: AlertContext,
    ) -> Result<Verified> {
        let now = self.clock.now();
        let accounts = self.clone();
        let (owner, read_at) = (pending.user.id, pending.user.password_changed_at);
        let by = origin.clone();
        let verified = self
            .db
            .transaction(move |c| {
                let user = people::store::lock(c, owner)?;
                if !user.is_active || user.password_changed_at != read_at {
                    return Err(Error::InvalidCredentials);
                }
                let found = people::store::find_verification(c, id, now)?.ok_or(Error::NotFound)?;
                if people::store::delete_verification(c, id)? == 0 {
                    return Err(Error::NotFound);
                }
                let act = match found.email == user.email {
                    true => LinkAct::EmailVerified,
                    false => LinkAct::EmailChanged,
                };
                people::store::record_used_link(c, id.into(), act, now)?;
                if act == LinkAct::EmailVerified {
                    people::store::mark_email_verified(c, owner, now)?;
                    let event = NewEvent::for_person(owner, EventKind::EmailVerified, &origin, now);
                    events::record_events(c, &[event])?;
                    return Ok(Verified::Own);
                }
                let email = found.email.parse()?;
                accounts.change_email(c, &user, &email, (&origin, context), now)?;
                Ok(Verified::Changed)
            })
            .await;
        match verified {
            Err(Error::EmailTaken) => {
                self.cancel_email_change(owner, by).await?;
                Ok(Verified::Taken)
            }
            verified => verified,
        }
    }

    /// Records that the reader of a mailbox doesn't want the account that a link is about: a change
    /// is cancelled, and an account that somebody signed up with their address is deleted. An
    /// account from before addresses were verified stays, as an administrator's and an auditor's do,
    /// but sends nothing to the address any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the link was used or cancelled meanwhile.
    pub async fn decline_email(&self, id: VerificationId) -> Result<Declined> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let found = people::store::find_verification(c, id, now)?.ok_or(Error::NotFound)?;
                let user = people::store::lock(c, found.user_id)?;
                let is_change = found.email != user.email;
                let is_verified = user.email_verified_at.is_some();
                if people::store::delete_verification(c, id)? == 0 || (!is_change && is_verified) {
                    return Err(Error::NotFound);
                }
                let is_spared = user.is_email_from_before || user.role() != Role::Person;
                let act = match (is_change, is_spared) {
                    (true, _) => LinkAct::ChangeDeclined,
                    (false, true) => LinkAct::AddressDeclined,
                    (false, false) => LinkAct::AccountDeclined,
                };
                people::store::record_used_link(c, id.into(), act, now)?;
                if is_change {
                    let kind = EventKind::EmailChangeCancelled;
                    let event = NewEvent::for_person(user.id, kind, &Origin::default(), now);
                    let event = event.with_detail(DECLINED).counted();
                    events::record_events(c, &[event])?;
                    return Ok(Declined::CancelledChange);
                }
                if is_spared {
                    people::store::mark_email_declined(c, user.id, now)?;
                    return Ok(Declined::SparedAccount);
                }
                let service = Origin::default();
                delete_person(c, user.id, (&service, Some(DECLINED)), now)?;
                Ok(Declined::DeletedAccount)
            })
            .await
    }
    /// Gives a person another e-mail, as a part of a transaction. The former one, if anybody had
    /// proved to read it, can take the account back from now on; but not where the person goes back
    /// to an address that they had before it.
    fn change_email(
        &self,
        c: &mut AnyConnection,
        before: &User,
        email: &Email,
        (origin, context): (&Origin, AlertContext),
        now: Timestamp,
    ) -> Result<()> {
        let id = before.id;
        require_free(c, email, id, now)?;
        if let Some(former) = find_open_former(c, id, email, now)? {
            // What came between was not the owner's choice in the end.
            report_later(c, &former, now)?;
            people::store::update_former_state(c, former.id, FormerState::Closed)?;
        } else if before.is_email_trusted() {
            let former = FormerEmail {
                id: FormerEmailId::new(now),
                user_id: id,
                email: before.email.clone(),
                verified_at: before.email_verified_at,
                changed_at: now,
                expires_at: now + self.policy.take_back_window,
                state: FormerState::Open,
            };
            people::store::insert_former(c, &former)?;
        }
        people::store::update_email(c, id, email, now)?;
        people::store::delete_resets(c, id)?;
        let event = NewEvent::for_person(id, EventKind::EmailChanged, origin, now);
        events::record_events(c, &[event])?;
        self.alerts
            .raise(c, before, (AlertKind::EmailChanged, context), now)
    }
}

/// Finds the oldest former address of a person that is `email` and can still take the account back.
fn find_open_former(
    c: &mut AnyConnection,
    user: UserId,
    email: &Email,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    let open = people::store::list_open_former(c, user, now)?;
    let found = open
        .into_iter()
        .find(|former| former.email == email.as_str());
    Ok(found)
}
