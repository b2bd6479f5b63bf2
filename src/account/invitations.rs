//! Invitations: accounts that an administrator makes without a password, and the links by which
//! their owners set the first one.

use std::time::Duration;

use super::Accounts;
use super::messages::queue_reset;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ResetId, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::store::PasswordReset;
use crate::people::{self, EmailTrust, Invitee, PasswordHash, User, VoidPassword};
use crate::sessions::Authority;

/// How long the link of an invitation is valid.
pub const INVITATION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long to wait where an address was sent too many links.
const RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// A person who is invited.
#[derive(Debug)]
pub struct Invitation {
    /// The person.
    pub user: User,
    /// The link that sets their first password.
    pub link: InvitationLink,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

/// How the link of an invitation gets to its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationLink {
    /// By mail. It verifies their e-mail as well.
    Sent,
    /// By the administrator, who vouches for the e-mail: the service sends no mail.
    HandOver(ResetId),
}

impl Accounts {
    /// Creates the account of a person who sets the first password themselves, by a link that is
    /// sent to their e-mail, or handed over where no mail is sent.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has the e-mail, or can still be taken back by it;
    /// [`Error::Busy`] when the address was sent too many links lately.
    pub async fn invite(&self, invitee: Invitee, origin: Origin) -> Result<Invitation> {
        let now = self.clock.now();
        let void = VoidPassword::random()?;
        let accounts = self.clone();
        let trust = match self.sends_mail() {
            true => EmailTrust::Unverified,
            false => EmailTrust::Vouched,
        };
        self.db
            .transaction(move |c| {
                let authority = Authority::require(c, &origin, now)?;
                let user = people::create_invited(c, &invitee, (trust, &void), now)?;
                let event =
                    NewEvent::for_person(user.id, EventKind::Invited, authority.origin(), now);
                events::record_events(c, &[event.with_detail(invitee.role.as_str())])?;
                accounts.create_invitation(c, user, &authority, now)
            })
            .await
    }

    /// Invites a person again who has set no password yet: their former links are void.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person, their account is disabled, or they need no
    /// invitation; [`Error::Busy`] when the address was sent too many links lately.
    pub async fn invite_again(&self, id: UserId, origin: Origin) -> Result<Invitation> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                let user = person.user;
                if !user.is_invited() || !user.is_active {
                    return Err(Error::NotFound);
                }
                people::store::delete_resets(c, id)?;
                let event = NewEvent::for_person(id, EventKind::Invited, authority.origin(), now);
                events::record_events(c, &[event.with_detail(user.role().as_str())])?;
                accounts.create_invitation(c, user, &authority, now)
            })
            .await
    }

    /// Creates the link, and queues its message where one is sent: the last part of a transaction.
    fn create_invitation(
        &self,
        c: &mut AnyConnection,
        user: User,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Invitation> {
        let expires_at = now + INVITATION_LIFETIME;
        let is_sent = self.sends_mail() && user.has_mailbox();
        let reset = PasswordReset {
            id: ResetId::new(now),
            user_id: user.id,
            email: is_sent.then(|| user.email.clone()),
            created_at: now,
            expires_at,
            is_invitation: true,
            by_user_id: authority.origin().user,
        };
        people::store::insert_reset(c, &reset)?;
        if is_sent && !queue_reset(c, &user, (reset.id, &user.email), now)? {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER,
            });
        }
        Ok(Invitation {
            link: match is_sent {
                true => InvitationLink::Sent,
                false => InvitationLink::HandOver(reset.id),
            },
            user,
            expires_at,
        })
    }
}

/// Sets the first password of a person who was invited, as a part of a transaction. A link by mail
/// proves that they have the mailbox. Nobody was in the account before, so no alert is raised.
pub(super) fn accept(
    c: &mut AnyConnection,
    user: &User,
    (reset, hash): (&PasswordReset, &PasswordHash),
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    let mut kinds = vec![EventKind::PasswordChanged];
    if reset.email.is_some() && user.email_verified_at.is_none() {
        people::store::mark_email_verified(c, user.id, now)?;
        people::store::delete_verifications(c, user.id)?;
        kinds.push(EventKind::EmailVerified);
    }
    people::store::void_password_links(c, user, now)?;
    people::store::delete_resets(c, user.id)?;
    people::store::update_password(c, user, hash, now)?;
    let event = |kind| NewEvent::for_person(user.id, kind, origin, now);
    events::record_events(c, &kinds.into_iter().map(event).collect::<Vec<_>>())
}
