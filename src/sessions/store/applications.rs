//! Every query of `session_applications`.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::upsert::excluded;

use crate::clock::Timestamp;
use crate::db::schema::{session_applications, user_sessions};
use crate::db::{
    AnyConnection, SessionId, UserId, cached, first_rows, in_few_sizes, on_each, read_from_text,
};
use crate::error::Result;
use crate::sessions::used_application::{ApplicationUse, ReachedAs};

read_from_text!(ReachedAs);

/// What a session reached, as it is stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = session_applications)]
pub(in crate::sessions) struct ApplicationRow {
    pub(in crate::sessions) session_id: SessionId,
    pub(in crate::sessions) kind: ReachedAs,
    /// The host, or the id of the application.
    pub(in crate::sessions) name: String,
    pub(in crate::sessions) last_used_at: Timestamp,
}

/// Lists those of these sessions that exist, in the order of their ids, and keeps others from deleting
/// them until the transaction ends.
pub(in crate::sessions) fn share_existing(
    c: &mut AnyConnection,
    sessions: &[(UserId, SessionId)],
) -> Result<Vec<SessionId>> {
    use user_sessions::dsl;

    let (users, ids): (Vec<UserId>, Vec<SessionId>) = sessions.iter().copied().unzip();
    let existing = dsl::user_sessions
        .filter(dsl::user_id.eq_any(in_few_sizes(&users)))
        .filter(dsl::id.eq_any(in_few_sizes(&ids)))
        .order(dsl::id)
        .select(dsl::id);
    let found = match c {
        AnyConnection::Postgres(c) => existing.for_key_share().load(c)?,
        AnyConnection::Sqlite(c) => cached(existing).load(c)?,
    };
    Ok(found)
}

/// The statement that inserts `$values`, a use or several, or updates the last ones, unless ones that are
/// not earlier are written already.
macro_rules! upsert {
    ($values:expr) => {{
        use session_applications::dsl;

        let written = diesel::insert_into(dsl::session_applications)
            .values($values)
            .on_conflict((dsl::session_id, dsl::kind, dsl::name))
            .do_update()
            .set(dsl::last_used_at.eq(excluded(dsl::last_used_at)));
        let is_later = dsl::last_used_at
            .lt(excluded(dsl::last_used_at))
            .and(dsl::user_id.eq(excluded(dsl::user_id)));
        let written = methods::FilterDsl::filter(written, is_later);
        cached(written.returning(dsl::session_id))
    }};
}

/// Inserts uses, each of another row, or updates the last ones, unless ones that are not earlier are written
/// already. Returns how many rows changed. PostgreSQL gets them in few statements of few sizes; to SQLite,
/// a statement for each costs no round trip.
pub(in crate::sessions) fn upsert_applications(
    c: &mut AnyConnection,
    uses: &[&ApplicationUse],
) -> Result<usize> {
    let mut changed = 0;
    match c {
        AnyConnection::Postgres(c) => {
            let mut rest = uses;
            while !rest.is_empty() {
                let size = 1 << rest.len().ilog2();
                let (part, others) = rest.split_at(size);
                let rows: Vec<_> = part.iter().map(|used| row(used)).collect();
                let written: Vec<SessionId> = upsert!(rows).load(c)?;
                changed += written.len();
                rest = others;
            }
        }
        AnyConnection::Sqlite(c) => {
            for used in uses {
                let written: Vec<SessionId> = upsert!(row(used)).load(c)?;
                changed += written.len();
            }
        }
    }
    Ok(changed)
}

/// A row of a use.
#[derive(Insertable)]
#[diesel(table_name = session_applications)]
struct UseRow {
    session_id: SessionId,
    user_id: UserId,
    kind: &'static str,
    name: String,
    last_used_at: Timestamp,
}

fn row(used: &ApplicationUse) -> UseRow {
    UseRow {
        session_id: used.session_id,
        user_id: used.user_id,
        kind: used.application.kind().as_str(),
        name: used.application.name().into_owned(),
        last_used_at: used.at,
    }
}

/// Lists those of these sessions that have more than `limit` rows, with their owners.
pub(in crate::sessions) fn list_with_more(
    c: &mut AnyConnection,
    sessions: &[(UserId, SessionId)],
    limit: i64,
) -> Result<Vec<(UserId, SessionId)>> {
    use session_applications::dsl;

    let (users, ids): (Vec<UserId>, Vec<SessionId>) = sessions.iter().copied().unzip();
    let crowded = dsl::session_applications
        .filter(dsl::user_id.eq_any(in_few_sizes(&users)))
        .filter(dsl::session_id.eq_any(in_few_sizes(&ids)))
        .group_by((dsl::user_id, dsl::session_id))
        .having(count_star().gt(limit))
        .select((dsl::user_id, dsl::session_id));
    let found = on_each!(c, c => cached(crowded).load(c))?;
    Ok(found)
}

/// Deletes all rows of a session but the `limit` with the latest uses. Returns how many were deleted.
pub(in crate::sessions) fn delete_earliest(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    limit: i64,
) -> Result<usize> {
    use session_applications::dsl;

    let of_session = dsl::session_applications
        .filter(dsl::user_id.eq(user))
        .filter(dsl::session_id.eq(id));
    let beyond: Vec<(String, String)> = of_session
        .order((dsl::last_used_at.desc(), dsl::kind, dsl::name))
        .select((dsl::kind, dsl::name))
        .offset(limit)
        .limit(i64::from(u16::MAX))
        .load(c)?;
    beyond.into_iter().try_fold(0, |deleted, (kind, name)| {
        let row = dsl::session_applications.find((id, kind, name));
        let own = row.filter(dsl::user_id.eq(user));
        Ok(deleted + diesel::delete(own).execute(c)?)
    })
}

/// Lists what these sessions of a person reached, the latest use first, at most `limit` rows.
pub(in crate::sessions) fn list_applications(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[SessionId],
    limit: u32,
) -> Result<Vec<ApplicationRow>> {
    use session_applications::dsl;

    let of_sessions = dsl::session_applications
        .filter(dsl::session_id.eq_any(in_few_sizes(ids)))
        .filter(dsl::user_id.eq(user))
        .order((dsl::last_used_at.desc(), dsl::kind, dsl::name));
    let found = on_each!(c, c => cached(first_rows(of_sessions.select(ApplicationRow::as_select()), limit))
        .load(c))?;
    Ok(found)
}
