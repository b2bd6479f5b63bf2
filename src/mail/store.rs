//! Every query of `mail_queue`.

use diesel::prelude::*;
use strum::IntoStaticStr;

use crate::clock::Timestamp;
use crate::db::schema::mail_queue;
use crate::db::{AlertId, AnyConnection, MailId, UserId, on_each};
use crate::error::Result;

/// A message in the queue.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mail_queue)]
pub(crate) struct QueuedMessage {
    pub(crate) id: MailId,
    pub(crate) alert_id: AlertId,
    pub(crate) recipient: String,
    pub(crate) attempts: i32,
    pub(crate) created_at: Timestamp,
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
}

impl MessageState {
    /// Returns the text form.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Adds a message about an alert to the queue.
pub(crate) fn insert(
    c: &mut AnyConnection,
    (user, alert): (UserId, AlertId),
    recipient: &str,
    now: Timestamp,
) -> Result<()> {
    let row = (
        mail_queue::id.eq(MailId::new(now)),
        mail_queue::user_id.eq(user),
        mail_queue::alert_id.eq(alert),
        mail_queue::recipient.eq(recipient),
        mail_queue::due_at.eq(now),
        mail_queue::created_at.eq(now),
        mail_queue::updated_at.eq(now),
    );
    diesel::insert_into(mail_queue::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Claims the message that has been due longest, until `lease`. No two nodes claim the same one: on
/// PostgreSQL its row is locked, and SQLite has only one writer.
pub(crate) fn claim_due(
    c: &mut AnyConnection,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Option<QueuedMessage>> {
    let due = mail_queue::table
        .filter(mail_queue::state.eq(MessageState::Waiting.as_str()))
        .filter(mail_queue::due_at.le(now))
        .order(mail_queue::due_at)
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

/// Counts the messages queued for a person since `since`, in any state.
pub(crate) fn count_since(c: &mut AnyConnection, user: UserId, since: Timestamp) -> Result<i64> {
    Ok(mail_queue::table
        .filter(mail_queue::user_id.eq(user))
        .filter(mail_queue::id.ge(MailId::first_at(since)))
        .count()
        .get_result(c)?)
}
