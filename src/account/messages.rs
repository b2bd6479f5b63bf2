//! Queues the messages about an account that are no alerts. Strangers can cause them, so they are
//! limited for each recipient and kind. To be called only where messages are sent
//! ([`Accounts::sends_mail`](super::Accounts::sends_mail)), and at the end of a transaction, since
//! a limit takes a lock.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{AnyConnection, ResetId, UserId};
use crate::error::Result;
use crate::mail::queue::{Limit, queue_limited};
use crate::mail::{MessageTopic, NewMessage, Priority};
use crate::people::User;
use crate::people::store::{EmailVerification, FormerEmail};

const VERIFICATIONS: Limit = Limit::hourly(3);
const EMAIL_TAKEN: Limit = Limit::hourly(1);
const EMAIL_REPLACED: Limit = Limit::hourly(10);
const RESETS: Limit = Limit::hourly(10);

/// Queues the message with the link that verifies an address, at most three an hour to each.
/// Returns whether it was queued.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond, as for the
/// others below.
pub(super) fn queue_verification(
    c: &mut AnyConnection,
    user: &User,
    verification: &EmailVerification,
    now: Timestamp,
) -> Result<bool> {
    let topic = MessageTopic::Verification(verification.id);
    let message = message(user.id, topic, &verification.email, now);
    queue_limited(c, &message, VERIFICATIONS, now)
}

/// Queues the message about an attempt to sign up with `email`, the address of `holder` or a former
/// one that may take their account back; at most one an hour to each.
pub(super) fn queue_email_taken(
    c: &mut AnyConnection,
    holder: &User,
    email: &str,
    now: Timestamp,
) -> Result<bool> {
    let message = message(holder.id, MessageTopic::EmailTaken, email, now);
    queue_limited(c, &message, EMAIL_TAKEN, now)
}

/// Queues the message with a link that sets a new password. The caller made sure that no other link
/// that was sent to the address is valid; the limit is for accounts that are made and deleted for
/// the sake of the messages. Returns whether it was queued.
pub(super) fn queue_reset(
    c: &mut AnyConnection,
    user: &User,
    (reset, email): (ResetId, &str),
    now: Timestamp,
) -> Result<bool> {
    let message = NewMessage {
        priority: Priority::Link,
        ..message(user.id, MessageTopic::Reset(reset), email, now)
    };
    queue_limited(c, &message, RESETS, now)
}

/// Queues the message that tells a former address of a forgotten password, at most one in `within`.
pub(super) fn queue_take_back(
    c: &mut AnyConnection,
    former: &FormerEmail,
    within: Duration,
    now: Timestamp,
) -> Result<bool> {
    let message = NewMessage {
        priority: Priority::Link,
        ..message(former.user_id, MessageTopic::TakeBack, &former.email, now)
    };
    queue_limited(c, &message, Limit { max: 1, within }, now)
}

/// Queues the message that tells the e-mail that `before` had of an administrator who replaced it.
pub(super) fn queue_email_replaced(
    c: &mut AnyConnection,
    before: &User,
    now: Timestamp,
) -> Result<bool> {
    let message = NewMessage {
        priority: Priority::Urgent,
        ..message(before.id, MessageTopic::EmailReplaced, &before.email, now)
    };
    queue_limited(c, &message, EMAIL_REPLACED, now)
}

fn message(user: UserId, topic: MessageTopic, recipient: &str, now: Timestamp) -> NewMessage<'_> {
    NewMessage {
        user,
        topic,
        recipient,
        priority: Priority::Normal,
        due_at: now,
    }
}
