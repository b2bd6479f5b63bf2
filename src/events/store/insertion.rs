//! Inserting events, and counting those that are counted.

use diesel::prelude::*;
use diesel::upsert::{DecoratableTarget, excluded};

use crate::clock::Timestamp;
use crate::db::schema::session_events;
use crate::db::{AnyConnection, ApplicationId, EventId, JobId, SessionId, UserId, on_each};
use crate::error::Result;
use crate::events::{NewEvent, StatedReason};
use crate::net::ip_key;

#[derive(Insertable)]
#[diesel(table_name = session_events, treat_none_as_default_value = false)]
struct Row<'a> {
    id: EventId,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    kind: &'a str,
    detail: Option<&'a str>,
    ip_address: Option<&'a str>,
    by_user_id: Option<UserId>,
    by_session_id: Option<SessionId>,
    at: Timestamp,
    by_application_id: Option<ApplicationId>,
    job_id: Option<JobId>,
    stated_reason: Option<&'a str>,
    ip_key: Option<String>,
    device: Option<&'a str>,
    times: i32,
    last_at: Option<Timestamp>,
    repeat_key: Option<String>,
}

impl<'a> From<&'a NewEvent> for Row<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            id: EventId::new(event.at),
            user_id: event.user_id,
            session_id: event.session_id,
            kind: event.kind.as_str(),
            detail: event.detail.as_deref(),
            ip_address: event.origin.ip.as_deref(),
            by_user_id: event.origin.user,
            by_session_id: event.origin.session,
            at: event.at,
            by_application_id: event.origin.application,
            job_id: event.origin.job,
            stated_reason: event.origin.reason.as_ref().map(StatedReason::as_str),
            ip_key: event.origin.ip.as_deref().and_then(ip_key),
            device: event.device.as_deref(),
            times: event.times(),
            last_at: event.counted.map(|counted| counted.last_at),
            repeat_key: event.repeat_key(),
        }
    }
}

/// Inserts events, or adds those that are counted to the rows that there are. The statement for a
/// single one, which is the usual number, has one text.
pub(in crate::events) fn insert(c: &mut AnyConnection, events: &[NewEvent]) -> Result<()> {
    let rows = events.iter().map(Row::from);
    let (mut counted, single): (Vec<Row<'_>>, Vec<Row<'_>>) =
        rows.partition(|row| row.repeat_key.is_some());
    let table = diesel::insert_into(session_events::table);
    match &single[..] {
        [] => 0,
        [row] => on_each!(c, c => table.values(row).execute(c))?,
        rows => on_each!(c, c => table.values(rows).execute(c))?,
    };
    // In one order, in which other nodes lock the same rows.
    counted.sort_by(|a, b| a.repeat_key.cmp(&b.repeat_key));
    counted.iter().try_for_each(|row| count(c, row))
}

fn count(c: &mut AnyConnection, row: &Row<'_>) -> Result<()> {
    use session_events::dsl;

    let row = diesel::insert_into(session_events::table).values(row);
    let changes = (
        dsl::times.eq(dsl::times + excluded(dsl::times)),
        dsl::last_at.eq(excluded(dsl::last_at)),
        dsl::detail.eq(excluded(dsl::detail)),
    );
    match c {
        // Its index has no rows but those that are counted.
        AnyConnection::Postgres(c) => row
            .on_conflict(dsl::repeat_key)
            .filter_target(dsl::repeat_key.is_not_null())
            .do_update()
            .set(changes)
            .execute(c),
        AnyConnection::Sqlite(c) => row
            .on_conflict(dsl::repeat_key)
            .do_update()
            .set(changes)
            .execute(c),
    }?;
    Ok(())
}
