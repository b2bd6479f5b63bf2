//! The queries of `mail_queue` that the administrator's figures need. The conditions stand in their
//! text: a bound value does not show SQLite that a partial index fits.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::db::schema::mail_queue;
use crate::error::Result;

/// Lists how often each waiting message was tried, at most `limit`.
pub(crate) fn list_waiting(c: &mut AnyConnection, limit: i64) -> Result<Vec<i32>> {
    Ok(mail_queue::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .order((mail_queue::priority, mail_queue::due_at))
        .limit(limit)
        .select(mail_queue::attempts)
        .load(c)?)
}

/// Lists when messages were given up since `since`, at most `limit`.
pub(crate) fn list_failed(
    c: &mut AnyConnection,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>> {
    Ok(mail_queue::table
        .filter(sql::<Bool>("state = 'failed'"))
        .filter(mail_queue::updated_at.ge(since))
        .order(mail_queue::updated_at.desc())
        .limit(limit)
        .select(mail_queue::updated_at)
        .load(c)?)
}
