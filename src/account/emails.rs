//! The e-mail of an account: signing up with one, and requesting to change it. It counts once a
//! link has verified it.

use std::time::Duration;

use super::Accounts;
use super::messages::{queue_email_taken, queue_verification};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId, VerificationId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::store::EmailVerification;
use crate::people::{self, Email, NewAccount, PasswordHash, User};
use crate::sessions::{self, Caller};

/// How long a link that verifies an address is valid, and a change of e-mail is pending.
pub const VERIFICATION_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcome of a sign-up.
#[derive(Debug)]
pub enum SignedUp {
    /// The person may sign in at once.
    Ready(Box<User>),
    /// The address has to be verified first. The same whether it has an account or not.
    AwaitsVerification,
}

/// The outcome of a request to change an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeRequested {
    /// A link was sent to the new address.
    LinkSent,
    /// It is the account's e-mail already.
    Unchanged,
    /// The address was sent too many links lately; nothing was changed.
    TooMany,
}

/// What a link verifies that was sent to a person and still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingVerification {
    /// The address that they want to change to.
    Change {
        /// That address.
        email: String,
        /// Until when it can be verified.
        expires_at: Timestamp,
    },
    /// The e-mail of the account.
    OwnEmail {
        /// When the link was sent.
        sent_at: Timestamp,
    },
}

/// Whether a link was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// It was.
    Sent,
    /// There is nothing to verify.
    Needless,
    /// Whoever reads the mailbox said that the address isn't the account's.
    Declined,
    /// The address was sent too many lately.
    TooMany,
}

impl Accounts {
    /// Creates the account of somebody who signs up, and sends the link that verifies their e-mail.
    /// Where sign-in requires that, an address that has an account gets the same response, and the
    /// holder a message that says so.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has the e-mail, where sign-in doesn't require
    /// verification.
    pub async fn sign_up(
        &self,
        account: NewAccount,
        hash: PasswordHash,
        origin: Origin,
    ) -> Result<SignedUp> {
        match self
            .try_sign_up(account.clone(), hash.clone(), origin.clone())
            .await
        {
            // Somebody else took the address at the same time; now the holder can be found.
            Err(Error::EmailTaken) if self.policy.require_verified_email => {
                self.try_sign_up(account, hash, origin).await
            }
            signed_up => signed_up,
        }
    }

    async fn try_sign_up(
        &self,
        account: NewAccount,
        hash: PasswordHash,
        origin: Origin,
    ) -> Result<SignedUp> {
        let now = self.clock.now();
        let is_mailing = self.sends_mail();
        let awaits = self.policy.require_verified_email;
        self.db
            .transaction(move |c| {
                let holder = people::find_holder(c, &account.email, now)?.filter(|_| awaits);
                if let Some(holder) = holder {
                    queue_email_taken(c, &holder, account.email.as_str(), now)?;
                    return Ok(SignedUp::AwaitsVerification);
                }
                let user = people::create_user(c, &account, &hash, now)?;
                let event = NewEvent::for_person(user.id, EventKind::SignedUp, &origin, now);
                events::record_events(c, &[event.by_the_person()])?;
                if is_mailing {
                    let verification = EmailVerification::new(user.id, &user.email, now);
                    people::store::replace_verification(c, &verification)?;
                    queue_verification(c, &user, &verification, now)?;
                }
                Ok(match awaits {
                    true => SignedUp::AwaitsVerification,
                    false => SignedUp::Ready(Box::new(user)),
                })
            })
            .await
    }

    /// Sends the link of a person's open verification again: of a pending change or, while it is
    /// not verified, of their own e-mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person, and where no mail is sent.
    pub async fn resend_verification(&self, id: UserId, origin: Origin) -> Result<Resent> {
        if !self.sends_mail() {
            return Err(Error::NotFound);
        }
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                let open = people::store::find_verification_by_person(c, id, now)?;
                if open.is_none() && (user.email_verified_at.is_some() || !user.has_mailbox()) {
                    return Ok(Resent::Needless);
                }
                if open.is_none() && user.email_declined_at.is_some() {
                    return Ok(Resent::Declined);
                }
                let verification = match open {
                    Some(open) => open,
                    None => {
                        let new = EmailVerification::new(id, &user.email, now);
                        people::store::replace_verification(c, &new)?;
                        new
                    }
                };
                let kind = EventKind::VerificationLinkRequested;
                let event = NewEvent::for_person(id, kind, &origin, now);
                events::record_events(c, &[event.counted()])?;
                Ok(match queue_verification(c, &user, &verification, now)? {
                    true => Resent::Sent,
                    false => Resent::TooMany,
                })
            })
            .await
    }

    /// Requests a change of the caller's e-mail: sends a link to the new address. Until it is
    /// verified, the former one stays the account's.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has the address, or can still be taken back by
    /// it; [`Error::Unauthenticated`] when the session has ended meanwhile; [`Error::NotFound`]
    /// where no mail is sent.
    pub async fn request_email_change(
        &self,
        caller: &Caller,
        email: Email,
    ) -> Result<ChangeRequested> {
        if !self.sends_mail() {
            return Err(Error::NotFound);
        }
        let now = self.clock.now();
        let (id, session, origin) = (caller.user.id, caller.session.id, caller.origin());
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                // Everything may have been signed out since the caller was found.
                let live = sessions::store::find_live(c, id, session, now)?;
                live.ok_or(Error::Unauthenticated)?;
                if user.email == email.as_str() {
                    return Ok(ChangeRequested::Unchanged);
                }
                require_free(c, &email, id, now)?;
                let verification = EmailVerification::new(id, email.as_str(), now);
                if !queue_verification(c, &user, &verification, now)? {
                    return Ok(ChangeRequested::TooMany);
                }
                people::store::replace_verification(c, &verification)?;
                let kind = EventKind::EmailChangeRequested;
                events::record_events(c, &[NewEvent::for_person(id, kind, &origin, now)])?;
                Ok(ChangeRequested::LinkSent)
            })
            .await
    }

    /// Returns what a link verifies that was sent to a person, if one still works.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_pending_verification(
        &self,
        user: &User,
    ) -> Result<Option<PendingVerification>> {
        let now = self.clock.now();
        let (id, own) = (user.id, user.email.clone());
        let found = self
            .db
            .read(move |c| people::store::find_verification_by_person(c, id, now))
            .await?;
        Ok(found.map(|found| match found.email == own {
            true => PendingVerification::OwnEmail {
                sent_at: found.created_at,
            },
            false => PendingVerification::Change {
                email: found.email,
                expires_at: found.expires_at,
            },
        }))
    }

    /// Cancels a person's pending change of e-mail. Returns how many there were: 0 or 1.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn cancel_email_change(&self, id: UserId, origin: Origin) -> Result<usize> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                cancel_pending_change(c, &user, &origin, now)
            })
            .await
    }
}

impl EmailVerification {
    fn new(user_id: UserId, email: &str, now: Timestamp) -> Self {
        Self {
            id: VerificationId::new(now),
            user_id,
            email: email.to_owned(),
            created_at: now,
            expires_at: now + VERIFICATION_LIFETIME,
        }
    }
}

/// Deletes a person's pending change of e-mail and records that, as a part of a transaction. The link that verifies
/// their own e-mail stays. Returns how many rows were deleted.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) fn cancel_pending_change(
    c: &mut AnyConnection,
    user: &User,
    origin: &Origin,
    now: Timestamp,
) -> Result<usize> {
    let cancelled = people::store::delete_verifications_except(c, user.id, &user.email)?;
    if cancelled > 0 {
        let kind = EventKind::EmailChangeCancelled;
        let event = NewEvent::for_person(user.id, kind, origin, now);
        events::record_events(c, &[event.counted()])?;
    }
    Ok(cancelled)
}

/// Verifies that nobody else holds `email`.
///
/// # Errors
/// [`Error::EmailTaken`] when another account has it, or can still be taken back by it.
pub(super) fn require_free(
    c: &mut AnyConnection,
    email: &Email,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    match people::find_other_holder(c, email, user, now)? {
        Some(_) => Err(Error::EmailTaken),
        None => Ok(()),
    }
}
