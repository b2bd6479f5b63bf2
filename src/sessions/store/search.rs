//! The queries of `user_sessions` that search among all people's. Each reads a bounded number of rows
//! through one index: the conditions that the index serves are in `WHERE`, and all others are
//! selected as a value, so that neither database plans by them.

mod conditions;
mod sample;
mod values;

use std::collections::HashMap;

use diesel::dsl::{IntoBoxed, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};

use self::conditions::satisfies;
pub(in crate::sessions) use self::sample::estimate;
pub(in crate::sessions) use self::values::list_values;
use self::values::{Counted, CountedMatches};
use super::model::Session;
use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, MultiBackend, SessionId, sql as types, uncached};
use crate::error::Result;
use crate::people::User;
use crate::sessions::search::criteria::{
    Criteria, Driver, Lane, Part, Position, Scanned, TimeRange, WalkOrder,
};
use crate::sessions::search::{Mark, SortKey};
use crate::sessions::values::last_used_bucket;

type Rows = IntoBoxed<'static, user_sessions::table, MultiBackend>;
/// The columns that a row is sorted by, and whether it satisfies the filter.
type Read = (SessionId, i32, Timestamp, Option<Timestamp>, Option<bool>);

/// Reads the next rows of a lane that has them in order, at most `limit`.
pub(in crate::sessions) fn scan(
    c: &mut AnyConnection,
    lane: &Lane,
    criteria: &Criteria,
    order: WalkOrder,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Scanned>> {
    let range = criteria.range_of(order.key);
    let rows = match after {
        None => within(rows_of(lane), order.key, range),
        // Of two bounds on the same side SQLite may seek to the one that is further away.
        Some(after) => {
            let range = match order.descending {
                true => TimeRange { to: None, ..range },
                false => TimeRange {
                    from: None,
                    ..range
                },
            };
            following(within(rows_of(lane), order.key, range), order, after)
        }
    };
    read(c, sorted(rows, order).limit(limit), criteria, order.key)
}

/// Reads the rows of a lane in the order of its own index, at most `limit`; their positions are
/// those in the order of `key`.
pub(in crate::sessions) fn scan_unsorted(
    c: &mut AnyConnection,
    lane: &Lane,
    criteria: &Criteria,
    key: SortKey,
    limit: i64,
) -> Result<Vec<Scanned>> {
    read(c, indexed(lane, criteria).limit(limit), criteria, key)
}

/// Counts the rows of a lane, whether they satisfy the filter or not, up to `limit`.
pub(in crate::sessions) fn count(
    c: &mut AnyConnection,
    lane: &Lane,
    criteria: &Criteria,
    limit: i64,
) -> Result<i64> {
    let rows = indexed(lane, criteria).limit(limit);
    Ok(uncached(Counted(rows.select(user_sessions::id))).get_result(c)?)
}

/// Counts the rows of a lane up to `limit`, and those of them that satisfy the filter.
pub(in crate::sessions) fn count_matches(
    c: &mut AnyConnection,
    lane: &Lane,
    criteria: &Criteria,
    limit: i64,
) -> Result<(i64, i64)> {
    let rows = indexed(lane, criteria).limit(limit);
    Ok(uncached(CountedMatches(rows.select(satisfies(criteria)))).get_result(c)?)
}

/// Finds sessions, live or ended, with their owners.
pub(in crate::sessions) fn find_with_owners(
    c: &mut AnyConnection,
    ids: &[SessionId],
) -> Result<HashMap<SessionId, (Session, User)>> {
    let found: Vec<(Session, User)> = user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::id.eq_any(ids))
        .select((Session::as_select(), User::as_select()))
        .load(c)?;
    let by_id = |found: (Session, User)| (found.0.id, found);
    Ok(found.into_iter().map(by_id).collect())
}

/// Finds one session, live or ended, with its owner.
pub(in crate::sessions) fn find_with_owner(
    c: &mut AnyConnection,
    id: SessionId,
) -> Result<Option<(Session, User)>> {
    Ok(user_sessions::table
        .inner_join(users::table)
        .filter(user_sessions::id.eq(id))
        .select((Session::as_select(), User::as_select()))
        .get_result(c)
        .optional()?)
}

/// Lists those of `ids` that satisfy a filter.
pub(in crate::sessions) fn list_matching(
    c: &mut AnyConnection,
    criteria: &Criteria,
    ids: Vec<SessionId>,
) -> Result<Vec<SessionId>> {
    let rows = user_sessions::table.into_boxed();
    let listed = rows.filter(user_sessions::id.eq_any(ids));
    let found = read(c, listed, criteria, SortKey::Used)?.into_iter();
    let matches = found.filter(|row| row.is_match);
    Ok(matches.map(|row| row.position.id).collect())
}

fn read(
    c: &mut AnyConnection,
    rows: Rows,
    criteria: &Criteria,
    key: SortKey,
) -> Result<Vec<Scanned>> {
    let columns = (
        user_sessions::id,
        user_sessions::last_used_bucket,
        user_sessions::created_at,
        user_sessions::ended_at,
        satisfies(criteria),
    );
    let found: Vec<Read> = uncached(rows.select(columns)).load(c)?;
    let scanned = |(id, bucket, created_at, ended_at, is_match): Read| Scanned {
        position: Position {
            at: match key {
                SortKey::Used => i64::from(bucket),
                SortKey::Opened => created_at.timestamp_micros(),
                SortKey::Ended => ended_at.map_or(i64::MIN, |at| at.timestamp_micros()),
            },
            id,
        },
        is_match: is_match.unwrap_or(false),
    };
    Ok(found.into_iter().map(scanned).collect())
}

/// Returns the rows that a lane's index leads to.
fn rows_of(lane: &Lane) -> Rows {
    use user_sessions::dsl;

    let rows = dsl::user_sessions.into_boxed();
    let rows: Rows = match lane.part {
        Part::Live => rows.filter(dsl::is_active),
        Part::Ended => rows.filter(not(dsl::is_active)),
        Part::Both => rows,
    };
    match lane.driver.clone() {
        Driver::Order | Driver::Opened | Driver::Used => rows,
        Driver::User(id) => rows.filter(dsl::user_id.eq(id)),
        Driver::Ip(key) => rows.filter(dsl::ip_key.eq(key)),
        Driver::IpRange(first, last) => rows
            .filter(dsl::ip_key.ge(first))
            .filter(dsl::ip_key.le(last)),
        Driver::Application(id) => rows.filter(dsl::application_id.eq(id)),
        Driver::Mark(Mark::CountryChanged) => rows.filter(dsl::has_changed_country),
        Driver::Mark(Mark::ImpossibleTravel) => rows.filter(dsl::has_impossible_travel),
        Driver::Reason(reason) => rows.filter(dsl::ended_reason.eq(reason.as_str())),
        Driver::Country(name) => rows.filter(dsl::location_country.eq(name)),
        Driver::Os(name) => rows.filter(dsl::os.eq(name)),
        Driver::Browser(name) => rows.filter(dsl::browser.eq(name)),
        Driver::Kind(kind) => rows.filter(dsl::device_kind.eq(kind.as_str())),
    }
}

/// Returns the rows of a lane in the order of its index, so that no database reads them otherwise.
fn indexed(lane: &Lane, criteria: &Criteria) -> Rows {
    let key = match (lane.own_key(), &lane.driver) {
        (Some(key), _) => key,
        (None, Driver::IpRange(..)) => {
            return rows_of(lane).order((
                user_sessions::ip_key.asc(),
                user_sessions::last_used_bucket.desc(),
                user_sessions::id.desc(),
            ));
        }
        (None, _) => SortKey::Used,
    };
    let order = WalkOrder {
        key,
        descending: true,
    };
    sorted(within(rows_of(lane), key, criteria.range_of(key)), order)
}

/// Restricts rows to a range of the times that they are sorted by.
fn within(rows: Rows, key: SortKey, range: TimeRange) -> Rows {
    use user_sessions::dsl;

    let mut rows = rows;
    match key {
        SortKey::Used => {
            if let Some(from) = range.from {
                rows = rows.filter(dsl::last_used_bucket.ge(last_used_bucket(from)));
            }
            if let Some(to) = range.to {
                rows = rows.filter(dsl::last_used_bucket.le(last_used_bucket(to)));
            }
        }
        SortKey::Opened => {
            if let Some(from) = range.from {
                rows = rows.filter(dsl::created_at.ge(from));
            }
            if let Some(to) = range.to {
                rows = rows.filter(dsl::created_at.lt(to));
            }
        }
        SortKey::Ended => {
            if let Some(from) = range.from {
                rows = rows.filter(dsl::ended_at.ge(from));
            }
        }
    }
    rows
}

fn sorted(rows: Rows, order: WalkOrder) -> Rows {
    use user_sessions::dsl;

    match (order.key, order.descending) {
        (SortKey::Used, true) => rows.order((dsl::last_used_bucket.desc(), dsl::id.desc())),
        (SortKey::Used, false) => rows.order((dsl::last_used_bucket.asc(), dsl::id.asc())),
        (SortKey::Opened, true) => rows.order((dsl::created_at.desc(), dsl::id.desc())),
        (SortKey::Opened, false) => rows.order((dsl::created_at.asc(), dsl::id.asc())),
        (SortKey::Ended, true) => rows.order((dsl::ended_at.desc(), dsl::id.desc())),
        (SortKey::Ended, false) => rows.order((dsl::ended_at.asc(), dsl::id.asc())),
    }
}

/// Restricts rows to those that follow a position: a comparison of rows, by which both databases find
/// the place in an index.
fn following(rows: Rows, order: WalkOrder, Position { at, id }: Position) -> Rows {
    let column = match order.key {
        SortKey::Used => "(user_sessions.last_used_bucket, user_sessions.id)",
        SortKey::Opened => "(user_sessions.created_at, user_sessions.id)",
        SortKey::Ended => "(user_sessions.ended_at, user_sessions.id)",
    };
    let sign = if order.descending { "<" } else { ">" };
    let row = sql::<Bool>(&format!("{column} {sign} ("));
    match order.key {
        SortKey::Used => rows.filter(
            row.bind::<Integer, _>(i32::try_from(at.clamp(0, i64::from(i32::MAX))).unwrap_or(0))
                .sql(", ")
                .bind::<types::Uuid, _>(id)
                .sql(")"),
        ),
        SortKey::Opened | SortKey::Ended => rows.filter(
            row.bind::<types::Timestamptz, _>(Timestamp::clamped(at))
                .sql(", ")
                .bind::<types::Uuid, _>(id)
                .sql(")"),
        ),
    }
}
