//! Forgotten passwords: a link that sets a new one, once, by mail or handed over by an
//! administrator.
//!
//! A request costs one statement, whether the address has an account or not; the mail job answers
//! it.

use std::time::Duration;

use super::Accounts;
use super::administration::record;
use super::invitations::accept;
use super::messages::{queue_reset, queue_take_back};
use crate::alerts::{AlertContext, AlertReview, Settlement};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, Db, ResetId, UserId};
use crate::error::{Chain, Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::mail::{self, MessageKind, MessageTopic};
use crate::people::mailbox::{Standing, find_senior, standing};
use crate::people::store::PasswordReset;
use crate::people::{self, Email, LinkAct, PasswordHash, User};
use crate::sessions::Session;
use crate::{alerts, devices};

/// Requests that may wait for the mail job. More are refused, whether their addresses have accounts
/// or not.
const MAX_REQUESTS: i64 = 10_000;
/// How long whoever is refused waits before trying again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// A link that sets a password, and is still valid.
#[derive(Debug)]
pub struct OpenReset {
    /// The person that it sets the password of.
    pub user: User,
    /// What for.
    pub purpose: ResetPurpose,
}

/// What a link that sets a password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetPurpose {
    /// A new password in place of a forgotten one.
    Forgotten,
    /// The first password of somebody who is invited.
    Invitation,
}

impl Accounts {
    /// Requests a link that sets a new password, by mail to `email`. Does the same whether the
    /// address has an account or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no mail is sent; [`Error::Busy`] when too many requests wait;
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn request_reset(&self, email: Email) -> Result<()> {
        if !self.sends_mail() {
            return Err(Error::NotFound);
        }
        let now = self.clock.now();
        self.db
            .write(move |c| {
                if people::store::count_reset_requests(c)? >= MAX_REQUESTS {
                    return Err(Error::Busy {
                        retry_after: RETRY_AFTER,
                    });
                }
                people::store::insert_reset_request(c, &email, now)
            })
            .await
    }

    /// Answers the requests for links that set a new password: queues the messages for those whose
    /// address has an account. Requests for other addresses are deleted together, so that many of
    /// them hold up no other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn answer_reset_requests(&self) -> Result<()> {
        let unknown =
            |c: &mut AnyConnection| people::store::delete_unknown_requests(c, MAX_REQUESTS);
        self.db.write(unknown).await?;
        let waiting = self
            .db
            .read(|c| people::store::list_reset_requests(c, MAX_REQUESTS))
            .await?;
        for email in waiting {
            match self.answer_reset_request(email.clone()).await {
                Err(err @ (Error::Unavailable(_) | Error::Disconnected(_))) => return Err(err),
                Err(err) => {
                    tracing::error!(error = %Chain(&err), "a request for a new password could not be answered; it is dropped");
                    let drop_it = move |c: &mut AnyConnection| {
                        people::store::delete_reset_request(c, &email).map(drop)
                    };
                    self.db.write(drop_it).await?;
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Discards the links that were sent, where a revoked key voided them: whoever asks for another
    /// gets one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn discard_sent_links(&self) -> Result<()> {
        discard_sent_links(&self.db).await
    }

    async fn answer_reset_request(&self, email: String) -> Result<()> {
        let now = self.clock.now();
        let lifetime = self.policy.reset_lifetime;
        self.db
            .transaction(move |c| {
                // Another node answers it.
                if people::store::delete_reset_request(c, &email)? == 0 {
                    return Ok(());
                }
                let email: Email = email.parse()?;
                let Some(user) = people::find_holder(c, &email, now)? else {
                    return Ok(());
                };
                let user = people::store::lock(c, user.id)?;
                let kind = EventKind::PasswordLinkRequested;
                let event = NewEvent::for_person(user.id, kind, &Origin::default(), now);
                events::record_events(c, &[event.counted()])?;
                queue_answer(c, &user, (&email, lifetime), now)
            })
            .await
    }

    /// Creates a link that sets a new password of a person, for an administrator to hand over.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person, their account is disabled, or an
    /// application authenticates them.
    pub async fn create_reset(&self, id: UserId, origin: Origin) -> Result<ResetId> {
        let now = self.clock.now();
        let lifetime = self.policy.reset_lifetime;
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                if !person.user.may_reset_password() {
                    return Err(Error::NotFound);
                }
                let reset = PasswordReset {
                    id: ResetId::new(now),
                    user_id: id,
                    email: None,
                    created_at: now,
                    expires_at: now + lifetime,
                    is_invitation: false,
                    by_user_id: authority.origin().user,
                };
                people::store::insert_reset(c, &reset)?;
                record(c, id, EventKind::ResetLinkCreated, &authority, now)?;
                Ok(reset.id)
            })
            .await
    }

    /// Returns the person whose password a link sets, and what for.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was used, has expired or was voided, or the account is disabled.
    pub async fn get_reset(&self, id: ResetId) -> Result<OpenReset> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let (user, reset) = find_usable(c, id, now)?;
                let purpose = match reset.is_invitation {
                    true => ResetPurpose::Invitation,
                    false => ResetPurpose::Forgotten,
                };
                Ok(OpenReset { user, purpose })
            })
            .await
    }

    /// Sets a new password by a link, once, and ends every session. A link by mail also proves that
    /// its reader has the mailbox: where the e-mail was not verified, it is now, and what was done
    /// in the account before counts as a stranger's.
    ///
    /// # Errors
    /// As [`Accounts::get_reset`].
    pub async fn reset_password(
        &self,
        id: ResetId,
        hash: PasswordHash,
        origin: Origin,
        context: AlertContext,
    ) -> Result<Vec<Session>> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (user, _) = find_usable(c, id, now)?;
                people::store::lock(c, user.id)?;
                let (user, reset) = find_usable(c, id, now)?;
                let act = match user.is_invited() {
                    true => LinkAct::FirstPasswordSet,
                    false => LinkAct::PasswordSet,
                };
                people::store::record_used_link(c, id.into(), act, now)?;
                if user.is_invited() {
                    accept(c, &user, (&reset, &hash), &origin, now)?;
                    return Ok(Vec::new());
                }
                if reset.email.is_some() && user.email_verified_at.is_none() {
                    hand_over(c, &user, &origin, now)?;
                }
                let user = people::store::get(c, user.id)?;
                accounts.set_from_outside(c, &user, &hash, (&origin, context), now)
            })
            .await
    }
}

/// As [`Accounts::discard_sent_links`], for the accounts in `db`.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn discard_sent_links(db: &Db) -> Result<()> {
    db.transaction(|c| {
        people::store::delete_sent_resets(c)?;
        for kind in [
            MessageKind::Reset,
            MessageKind::TakeBack,
            MessageKind::Verification,
        ] {
            mail::store::delete_counts(c, kind)?;
        }
        Ok(())
    })
    .await
}

/// Queues the message that answers a request for `email`, an address of `user`. While a former
/// address can take the account back, the oldest such is asked instead.
fn queue_answer(
    c: &mut AnyConnection,
    user: &User,
    (email, lifetime): (&Email, std::time::Duration),
    now: Timestamp,
) -> Result<()> {
    if !user.may_reset_password() {
        return Ok(());
    }
    if let Some(former) = find_senior(c, user, now)? {
        return queue_take_back(c, &former, lifetime, now).map(drop);
    }
    let is_own = matches!(standing(c, user, email.as_str(), now)?, Standing::Own);
    if !is_own || has_good_link(c, user, email, now)? {
        return Ok(());
    }
    let reset = PasswordReset {
        id: ResetId::new(now),
        user_id: user.id,
        email: Some(email.as_str().to_owned()),
        created_at: now,
        expires_at: now + lifetime,
        is_invitation: false,
        by_user_id: None,
    };
    // One that nobody was sent would hold back the next.
    if queue_reset(c, user, (reset.id, email.as_str()), now)? {
        people::store::insert_reset(c, &reset)?;
    }
    Ok(())
}

/// Returns whether a link that was sent to the address is still valid. One whose message the mail
/// server refused is none.
fn has_good_link(
    c: &mut AnyConnection,
    user: &User,
    email: &Email,
    now: Timestamp,
) -> Result<bool> {
    let Some(live) = people::store::find_live_reset(c, user.id, email.as_str(), now)? else {
        return Ok(false);
    };
    let topic = MessageTopic::Reset(live.id);
    let has_failed = mail::store::has_failed(c, topic)?;
    if has_failed {
        people::store::delete_resets(c, user.id)?;
    }
    Ok(!has_failed)
}

/// Returns the person and the link, if it may be used. One by mail only while its address is the
/// account's and no former one can take the account back.
fn find_usable(
    c: &mut AnyConnection,
    id: ResetId,
    now: Timestamp,
) -> Result<(User, PasswordReset)> {
    let reset = people::store::find_reset(c, id, now)?.ok_or(Error::NotFound)?;
    let user = people::store::get(c, reset.user_id)?;
    let is_current = match &reset.email {
        Some(email) => {
            matches!(standing(c, &user, email, now)?, Standing::Own)
                && find_senior(c, &user, now)?.is_none()
        }
        None => true,
    };
    let is_open = !reset.is_invitation || user.is_invited();
    match is_current && is_open && user.may_reset_password() {
        true => Ok((user, reset)),
        false => Err(Error::NotFound),
    }
}

/// Verifies the e-mail of an account, and treats what was done in it before as a stranger's.
fn hand_over(c: &mut AnyConnection, user: &User, origin: &Origin, now: Timestamp) -> Result<()> {
    people::store::mark_email_verified(c, user.id, now)?;
    people::store::reset_settings(c, user.id, now)?;
    people::store::delete_verifications(c, user.id)?;
    devices::store::delete_all(c, user.id)?;
    for alert in alerts::list_open(c, user.id, now)? {
        let settlement = Settlement {
            review: AlertReview::Reported,
            by: None,
            confirmer: None,
            at: now,
        };
        alerts::review(c, user.id, alert.id, settlement)?;
    }
    let event = NewEvent::for_person(user.id, EventKind::EmailVerified, origin, now);
    events::record_events(c, &[event])
}
