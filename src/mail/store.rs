//! Every query of `mail_queue` and `message_counts`.

mod counts;
mod figures;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Text;
use strum::IntoStaticStr;

pub(super) use self::counts::{count, list_times, uncount};
pub(crate) use self::counts::{delete_counts, purge_counts};
pub(crate) use self::figures::{list_failed, list_waiting};
use super::topic::{MessageKind, MessageTopic, NewMessage};
use crate::clock::Timestamp;
use crate::db::schema::mail_queue;
use crate::db::{
    AlertId, AnyConnection, MailId, MailSubjectId, ResetId, UserId, VerificationId, on_each,
    read_from_text,
};
use crate::error::Result;

diesel::define_sql_function! {
    /// The database's `lower`, which the index on recipients uses.
    fn lower(text: Text) -> Text;
}

/// A message in the queue.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mail_queue)]
pub struct QueuedMessage {
    pub(super) id: MailId,
    /// The person whose account it is about.
    pub user_id: UserId,
    kind: MessageKind,
    alert_id: Option<AlertId>,
    subject_id: Option<MailSubjectId>,
    /// The address that it is sent to.
    pub recipient: String,
    pub(super) attempts: i32,
    /// When it was queued.
    pub created_at: Timestamp,
}

read_from_text!(MessageKind);

impl QueuedMessage {
    /// Returns the id of the message, which the links in it contain.
    #[must_use]
    pub fn id(&self) -> MailId {
        self.id
    }

    /// Returns what the message is about; `None` when its row lacks the id that its kind needs.
    #[must_use]
    pub fn topic(&self) -> Option<MessageTopic> {
        let subject = self.subject_id.map(|id| *id.as_bytes());
        match self.kind {
            MessageKind::Alert => self.alert_id.map(MessageTopic::Alert),
            MessageKind::Verification => {
                subject.map(|id| MessageTopic::Verification(VerificationId::from_bytes(id)))
            }
            MessageKind::Reset => subject.map(|id| MessageTopic::Reset(ResetId::from_bytes(id))),
            MessageKind::EmailTaken => Some(MessageTopic::EmailTaken),
            MessageKind::SignIns => Some(MessageTopic::SignIns),
            MessageKind::TakeBack => Some(MessageTopic::TakeBack),
            MessageKind::EmailReplaced => Some(MessageTopic::EmailReplaced),
        }
    }
}

/// The state of a message in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum MessageState {
    /// It is to be sent when it is due.
    Waiting,
    /// Its content was sent, or is about to be; whether the server accepted it is not known.
    HandedOver,
    /// The server accepted it.
    Sent,
    /// It was given up.
    Failed,
    /// What it was about is gone; it is not sent.
    Void,
}

impl MessageState {
    /// Returns the text form.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Adds a message to the queue, and returns its id.
pub(crate) fn insert(
    c: &mut AnyConnection,
    message: &NewMessage<'_>,
    now: Timestamp,
) -> Result<MailId> {
    let id = MailId::new(now);
    let row = (
        mail_queue::id.eq(id),
        mail_queue::user_id.eq(message.user),
        mail_queue::kind.eq(message.topic.kind().as_str()),
        mail_queue::alert_id.eq(message.topic.alert()),
        mail_queue::subject_id.eq(message.topic.subject()),
        mail_queue::priority.eq(message.priority as i16),
        mail_queue::recipient.eq(message.recipient),
        mail_queue::due_at.eq(message.due_at),
        mail_queue::created_at.eq(now),
        mail_queue::updated_at.eq(now),
    );
    diesel::insert_into(mail_queue::table)
        .values(row)
        .execute(c)?;
    Ok(id)
}

/// Returns whether the message about `topic`'s row was given up.
pub(crate) fn has_failed(c: &mut AnyConnection, topic: MessageTopic) -> Result<bool> {
    let failed = mail_queue::table
        .filter(mail_queue::kind.eq(topic.kind().as_str()))
        .filter(mail_queue::subject_id.eq(topic.subject()))
        .filter(mail_queue::state.eq(MessageState::Failed.as_str()));
    Ok(diesel::select(exists(failed)).get_result(c)?)
}

/// Returns the message with that id, whatever its state.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is none.
pub(crate) fn get(c: &mut AnyConnection, id: MailId) -> Result<QueuedMessage> {
    Ok(mail_queue::table
        .find(id)
        .select(QueuedMessage::as_select())
        .get_result(c)?)
}

/// Claims the message that has been due longest, of those with the first priority that any has,
/// until `lease`. No two nodes claim the same one: on PostgreSQL its row is locked, and SQLite has
/// only one writer.
pub(crate) fn claim_due(
    c: &mut AnyConnection,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Option<QueuedMessage>> {
    let due = mail_queue::table
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()))
        .filter(mail_queue::due_at.le(now))
        .order((mail_queue::priority, mail_queue::due_at))
        .limit(1)
        .select(mail_queue::id);
    let id: Option<MailId> = match c {
        AnyConnection::Postgres(c) => due.for_update().skip_locked().first(c).optional()?,
        AnyConnection::Sqlite(c) => due.first(c).optional()?,
    };
    let Some(id) = id else { return Ok(None) };
    let changes = (
        mail_queue::attempts.eq(mail_queue::attempts + 1),
        mail_queue::due_at.eq(lease),
        mail_queue::updated_at.eq(now),
    );
    let claimed = on_each!(c, c => diesel::update(mail_queue::table.find(id))
        .set(changes)
        .returning(QueuedMessage::as_returning())
        .get_result(c))?;
    Ok(Some(claimed))
}

/// Marks a message as handed over to the server. Returns `false` when another node has claimed it
/// since.
pub(crate) fn mark_handed_over(
    c: &mut AnyConnection,
    id: MailId,
    attempts: i32,
    now: Timestamp,
) -> Result<bool> {
    let claimed = mail_queue::table
        .find(id)
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()))
        .filter(mail_queue::attempts.eq(attempts));
    let changes = (
        mail_queue::state.eq(MessageState::HandedOver.as_str()),
        mail_queue::updated_at.eq(now),
    );
    Ok(diesel::update(claimed).set(changes).execute(c)? == 1)
}

/// Updates a message's state, unless another node has claimed it since. Returns how many rows
/// changed.
pub(crate) fn update_state(
    c: &mut AnyConnection,
    (id, attempts): (MailId, i32),
    state: MessageState,
    due: Timestamp,
    now: Timestamp,
) -> Result<usize> {
    let claimed = mail_queue::table
        .find(id)
        .filter(mail_queue::attempts.eq(attempts));
    let changes = (
        mail_queue::state.eq(state.as_str()),
        mail_queue::due_at.eq(due),
        mail_queue::updated_at.eq(now),
    );
    Ok(diesel::update(claimed).set(changes).execute(c)?)
}

/// Finds the message of `kind` about an account that waits for its first attempt, and locks it: it
/// is not claimed before the transaction ends. Another node may have claimed it since it was found,
/// so the lock carries the condition.
pub(super) fn lock_unclaimed(
    c: &mut AnyConnection,
    (user, recipient): (UserId, &str),
    kind: MessageKind,
    now: Timestamp,
) -> Result<Option<MailId>> {
    let found: Option<MailId> = mail_queue::table
        .filter(mail_queue::user_id.eq(user))
        .filter(lower(mail_queue::recipient).eq(recipient.to_lowercase()))
        .filter(mail_queue::kind.eq(kind.as_str()))
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()))
        .filter(mail_queue::attempts.eq(0))
        .order(mail_queue::id.desc())
        .select(mail_queue::id)
        .first(c)
        .optional()?;
    let Some(id) = found else { return Ok(None) };
    let unclaimed = mail_queue::table
        .find(id)
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()))
        .filter(mail_queue::attempts.eq(0));
    let locked = diesel::update(unclaimed)
        .set(mail_queue::updated_at.eq(now))
        .execute(c)?;
    Ok((locked == 1).then_some(id))
}

/// Deletes messages queued before `before`, at most `limit` of them. Returns how many were deleted.
pub(crate) fn purge(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<MailId> = mail_queue::table
        .filter(mail_queue::id.lt(MailId::first_at(before)))
        .order(mail_queue::id)
        .limit(limit)
        .select(mail_queue::id)
        .load(c)?;
    Ok(diesel::delete(mail_queue::table.filter(mail_queue::id.eq_any(old))).execute(c)?)
}
