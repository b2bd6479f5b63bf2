//! Adds messages to the queue. Strangers can cause some kinds of them, so those are limited for
//! each recipient and kind.

use std::time::Duration;

use super::store;
use super::topic::{MessageKind, MessageTopic, NewMessage, Priority};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, MailId, UserId, lock_name};
use crate::error::Result;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Messages about single sign-ins per recipient and hour. Those about the other sign-ins are one.
const MAX_SIGN_INS: i64 = 3;

/// How many messages of a kind a recipient may be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The number of messages.
    pub(crate) max: i64,
    /// In this time.
    pub(crate) within: Duration,
}

impl Limit {
    /// Returns a limit of `max` messages an hour.
    pub(crate) const fn hourly(max: i64) -> Self {
        Self { max, within: HOUR }
    }
}

/// Queues a message unless its recipient was sent as many of its kind as `limit` allows. Returns
/// whether it was queued. Belongs at the end of its transaction: it takes a lock, so that two nodes
/// don't both find room for the last one.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn queue_limited(
    c: &mut AnyConnection,
    message: &NewMessage<'_>,
    limit: Limit,
    now: Timestamp,
) -> Result<bool> {
    lock_recipient(c, message)?;
    let sent = store::list_times(c, message, now - limit.within, limit.max)?;
    let has_room = i64::try_from(sent.len()).is_ok_and(|sent| sent < limit.max);
    if has_room {
        let id = store::insert(c, message, now)?;
        store::count(c, id, message, now)?;
    }
    Ok(has_room)
}

/// Queues the message about a sign-in. Beyond three an hour for a recipient, the others are told of
/// in one message, which goes out when there is room for a single one again; then its id is
/// returned. Belongs at the end of its transaction, as [`queue_limited`].
///
/// # Errors
/// As [`queue_limited`].
pub(crate) fn queue_sign_in(
    c: &mut AnyConnection,
    (user, recipient): (UserId, &str),
    alert: AlertId,
    now: Timestamp,
) -> Result<Option<MailId>> {
    let single = NewMessage {
        user,
        topic: MessageTopic::Alert(alert),
        recipient,
        priority: Priority::Normal,
        due_at: now,
    };
    lock_recipient(c, &single)?;
    let sent = store::list_times(c, &single, now - HOUR, MAX_SIGN_INS)?;
    let is_full = i64::try_from(sent.len()).is_ok_and(|sent| sent >= MAX_SIGN_INS);
    let Some(oldest) = sent.last().filter(|_| is_full) else {
        let id = store::insert(c, &single, now)?;
        store::count(c, id, &single, now)?;
        return Ok(None);
    };
    let waiting = store::lock_unclaimed(c, (user, recipient), MessageKind::SignIns, now)?;
    if waiting.is_some() {
        return Ok(waiting);
    }
    let summary = NewMessage {
        topic: MessageTopic::SignIns,
        due_at: *oldest + HOUR,
        ..single
    };
    store::insert(c, &summary, now).map(Some)
}

fn lock_recipient(c: &mut AnyConnection, message: &NewMessage<'_>) -> Result<()> {
    let recipient = message.recipient.to_lowercase();
    lock_name(c, &["mail", message.topic.kind().as_str(), &recipient])
}
