//! Every query of `message_counts`: the messages that are limited for each recipient and kind. They
//! outlive the accounts that they were about.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::message_counts;
use crate::db::{AnyConnection, MailId};
use crate::error::Result;
use crate::mail::topic::{MessageKind, NewMessage};

/// Counts a message that was queued.
pub(in crate::mail) fn count(
    c: &mut AnyConnection,
    id: MailId,
    message: &NewMessage<'_>,
    now: Timestamp,
) -> Result<()> {
    let row = (
        message_counts::id.eq(id),
        message_counts::recipient.eq(message.recipient.to_lowercase()),
        message_counts::kind.eq(message.topic.kind().as_str()),
        message_counts::created_at.eq(now),
    );
    diesel::insert_into(message_counts::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Takes back the count of a message that is not sent.
pub(in crate::mail) fn uncount(c: &mut AnyConnection, id: MailId) -> Result<usize> {
    Ok(diesel::delete(message_counts::table.find(id)).execute(c)?)
}

/// Deletes the counts of a kind, so that nothing that was sent holds back another message of it.
pub(crate) fn delete_counts(c: &mut AnyConnection, kind: MessageKind) -> Result<usize> {
    let of_kind = message_counts::table.filter(message_counts::kind.eq(kind.as_str()));
    Ok(diesel::delete(of_kind).execute(c)?)
}

/// Lists when the last messages of the kind of `message` were counted for its recipient since
/// `since`, whoever they were about, newest first, at most `limit` of them.
pub(in crate::mail) fn list_times(
    c: &mut AnyConnection,
    message: &NewMessage<'_>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>> {
    Ok(message_counts::table
        .filter(message_counts::recipient.eq(message.recipient.to_lowercase()))
        .filter(message_counts::kind.eq(message.topic.kind().as_str()))
        .filter(message_counts::id.ge(MailId::first_at(since)))
        .order(message_counts::id.desc())
        .limit(limit)
        .select(message_counts::created_at)
        .load(c)?)
}

/// Deletes counts from before `before`, at most `limit` of them. Returns how many were deleted.
pub(crate) fn purge_counts(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<MailId> = message_counts::table
        .filter(message_counts::id.lt(MailId::first_at(before)))
        .order(message_counts::id)
        .limit(limit)
        .select(message_counts::id)
        .load(c)?;
    Ok(diesel::delete(message_counts::table.filter(message_counts::id.eq_any(old))).execute(c)?)
}
