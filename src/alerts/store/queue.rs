//! Every query of `mail_queue`.

use diesel::prelude::*;

use crate::db::schema::mail_queue;
use crate::db::{AlertId, AnyConnection, MailId, Timestamp, UserId, on_each};
use crate::error::Result;

/// A letter in the queue.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mail_queue)]
pub(in crate::alerts) struct Queued {
    pub(in crate::alerts) id: MailId,
    pub(in crate::alerts) alert_id: AlertId,
    pub(in crate::alerts) recipient: String,
    pub(in crate::alerts) attempts: i32,
    pub(in crate::alerts) created_at: Timestamp,
}

/// How far a letter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::alerts) enum State {
    /// To be sent.
    Waiting,
    /// The server has it; whether it took it is not known.
    HandedOver,
    /// The server took it.
    Sent,
    /// Given up.
    Failed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::HandedOver => "handed_over",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// Puts a letter about an alert into the queue.
pub(in crate::alerts) fn insert(
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

/// Takes the letter that is due longest, until `lease`. On PostgreSQL no two nodes take the same.
pub(in crate::alerts) fn claim(
    c: &mut AnyConnection,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Option<Queued>> {
    let due = mail_queue::table
        .filter(mail_queue::state.eq(State::Waiting.as_str()))
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
        .returning(Queued::as_returning())
        .get_result(c))?;
    Ok(Some(claimed))
}

/// Marks a letter as given to the server, unless somebody else has claimed it since.
pub(in crate::alerts) fn hand_over(
    c: &mut AnyConnection,
    id: MailId,
    attempts: i32,
    now: Timestamp,
) -> Result<bool> {
    let claimed = mail_queue::table
        .find(id)
        .filter(mail_queue::state.eq(State::Waiting.as_str()))
        .filter(mail_queue::attempts.eq(attempts));
    let changes = (
        mail_queue::state.eq(State::HandedOver.as_str()),
        mail_queue::updated_at.eq(now),
    );
    Ok(diesel::update(claimed).set(changes).execute(c)? == 1)
}

/// Notes how far a letter has come, unless somebody else has claimed it since.
pub(in crate::alerts) fn note(
    c: &mut AnyConnection,
    (id, attempts): (MailId, i32),
    state: State,
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

/// Letters to a person since then, whatever became of them.
pub(in crate::alerts) fn count_since(
    c: &mut AnyConnection,
    user: UserId,
    since: Timestamp,
) -> Result<i64> {
    Ok(mail_queue::table
        .filter(mail_queue::user_id.eq(user))
        .filter(mail_queue::id.ge(MailId::first_at(since)))
        .count()
        .get_result(c)?)
}
