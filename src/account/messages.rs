//! Queues the messages about an account that are no alerts. Strangers can cause them, so they are
//! limited for each recipient and kind.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{AnyConnection, ResetId, UserId};
use crate::error::Result;
use crate::mail::queue::{Limit, queue_limited};
use crate::mail::{self, MessageTopic, NewMessage, Priority};
use crate::people::User;
use crate::people::store::{EmailVerification, FormerEmail};
use crate::settings::MailSettings;

const VERIFICATIONS: Limit = Limit::hourly(3);
const EMAIL_TAKEN: Limit = Limit::hourly(1);

/// Queues the messages about accounts.
#[derive(Debug, Clone)]
pub struct Messages {
    sends_mail: bool,
}

impl Messages {
    /// Returns messages that are queued if `settings` name an SMTP server.
    #[must_use]
    pub fn new(settings: &MailSettings) -> Self {
        Self {
            sends_mail: settings.sends_mail(),
        }
    }

    /// Queues the message with the link that verifies an address, at most three an hour to each.
    /// Belongs at the end of its transaction, as the others below, since it takes a lock. Returns
    /// `false` when the address was sent as many lately.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond, as for
    /// the others below.
    pub(super) fn queue_verification(
        &self,
        c: &mut AnyConnection,
        verification: &EmailVerification,
        now: Timestamp,
    ) -> Result<bool> {
        let topic = MessageTopic::Verification(verification.id);
        let message = urgent(verification.user_id, topic, &verification.email, now);
        match self.sends_mail {
            true => queue_limited(c, &message, VERIFICATIONS, now),
            false => Ok(true),
        }
    }

    /// Queues the message about an attempt to sign up with `email`, the address of `holder` or a
    /// former one that may take their account back; at most one an hour to each.
    pub(super) fn queue_email_taken(
        &self,
        c: &mut AnyConnection,
        holder: &User,
        email: &str,
        now: Timestamp,
    ) -> Result<()> {
        let message = NewMessage {
            priority: Priority::Normal,
            ..urgent(holder.id, MessageTopic::EmailTaken, email, now)
        };
        match self.sends_mail {
            true => queue_limited(c, &message, EMAIL_TAKEN, now).map(drop),
            false => Ok(()),
        }
    }

    /// Queues the message with a link that sets a new password. Its limit is the caller's: no other
    /// link that was sent to the address is valid.
    pub(super) fn queue_reset(
        &self,
        c: &mut AnyConnection,
        user: &User,
        (reset, email): (ResetId, &str),
        now: Timestamp,
    ) -> Result<()> {
        let message = urgent(user.id, MessageTopic::Reset(reset), email, now);
        match self.sends_mail {
            true => mail::store::insert(c, &message, now).map(drop),
            false => Ok(()),
        }
    }

    /// Queues the message that tells a former address of a forgotten password, at most one in
    /// `within`.
    pub(super) fn queue_take_back(
        &self,
        c: &mut AnyConnection,
        former: &FormerEmail,
        within: Duration,
        now: Timestamp,
    ) -> Result<()> {
        let message = urgent(former.user_id, MessageTopic::TakeBack, &former.email, now);
        match self.sends_mail {
            true => queue_limited(c, &message, Limit { max: 1, within }, now).map(drop),
            false => Ok(()),
        }
    }
}

fn urgent(user: UserId, topic: MessageTopic, recipient: &str, now: Timestamp) -> NewMessage<'_> {
    NewMessage {
        user,
        topic,
        recipient,
        priority: Priority::Urgent,
        due_at: now,
    }
}
