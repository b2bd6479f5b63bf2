//! The queries of `user_sessions` that record a use: they update the expiry and the location. The
//! idle limit, which determines the expiry, is updated here as well.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text};

use super::lock_live;
use super::model::{LastUse, Session};
use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, SessionId, UserId, cached, in_few_sizes, on_each, sql};
use crate::error::Result;
use crate::geo::Location;
use crate::net::ip_key;
use crate::sessions::values::last_used_bucket;

/// The SQL before and after a bound time that computes when a session used at that time expires.
/// The databases differ in how they add seconds to a time. SQLite's times are text, computed to the
/// millisecond and padded with zeros to the common width.
pub(super) const POSTGRES_EXPIRY: [&str; 2] = [
    "least(absolute_expires_at, ",
    " + idle_seconds * interval '1 second')",
];
pub(super) const SQLITE_EXPIRY: [&str; 2] = [
    "min(absolute_expires_at, strftime('%Y-%m-%d %H:%M:%f000', ",
    ", '+' || idle_seconds || ' seconds'))",
];

/// The expiry of a session used at `$used`, as an SQL expression.
macro_rules! expiry_if_used {
    ($used:expr, $parts:expr) => {
        diesel::dsl::sql::<sql::Timestamptz>($parts[0])
            .bind::<sql::Timestamptz, Timestamp>($used)
            .sql($parts[1])
    };
}
pub(super) use expiry_if_used;

/// The SQL before and after a bound country that computes whether a session has been used in another
/// country than that of its sign-in.
const CHANGED_COUNTRY: [&str; 2] = [
    "(has_changed_country OR coalesce(sign_in_country <> ",
    ", false))",
];

/// The changes that set the columns of a location and of a use at `$at`.
macro_rules! use_columns {
    ($location:expr, $at:expr) => {
        (
            user_sessions::last_used_at.eq($at),
            user_sessions::last_used_bucket.eq(last_used_bucket($at)),
            user_sessions::updated_at.eq($at),
            user_sessions::has_changed_country.eq(diesel::dsl::sql::<Bool>(CHANGED_COUNTRY[0])
                .bind::<Nullable<Text>, _>($location.place.country.as_deref())
                .sql(CHANGED_COUNTRY[1])),
            user_sessions::ip_key.eq($location.ip.as_deref().and_then(ip_key)),
            user_sessions::ip_address.eq($location.ip.as_deref()),
            user_sessions::location_city.eq($location.place.city.as_deref()),
            user_sessions::location_country.eq($location.place.country.as_deref()),
            user_sessions::location_point.eq($location.place.point.map(|at| at.to_string())),
        )
    };
}

/// Updates the last use of a session that is not marked as ended, to a new location.
pub(in crate::sessions) fn update_location(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    location: &Location,
    now: Timestamp,
) -> Result<Option<Session>> {
    use user_sessions::dsl;

    let live = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id))
        .filter(dsl::is_active);
    let changes = use_columns!(location, now);
    let moved = on_each!(c, c => cached(diesel::update(live).set(changes).returning(Session::as_returning()))
        .get_result(c)
        .optional())?;
    Ok(moved)
}

/// Updates the last use of a session that is not marked as ended, unless one that is not earlier is
/// written already. Returns how many rows changed.
pub(in crate::sessions) fn update_last_use(c: &mut AnyConnection, used: &LastUse) -> Result<usize> {
    use user_sessions::dsl;

    let earlier = dsl::user_sessions
        .filter(dsl::user_id.eq(used.user_id))
        .filter(dsl::id.eq(used.session_id))
        .filter(dsl::is_active)
        .filter(dsl::last_used_at.lt(used.at));
    let changes = use_columns!(used.location, used.at);
    let updated: Vec<SessionId> = match c {
        AnyConnection::Postgres(c) => {
            let end = dsl::expires_at.eq(expiry_if_used!(used.at, POSTGRES_EXPIRY));
            cached(
                diesel::update(earlier)
                    .set((changes, end))
                    .returning(dsl::id),
            )
            .load(c)?
        }
        AnyConnection::Sqlite(c) => {
            let end = dsl::expires_at.eq(expiry_if_used!(used.at, SQLITE_EXPIRY));
            cached(
                diesel::update(earlier)
                    .set((changes, end))
                    .returning(dsl::id),
            )
            .load(c)?
        }
    };
    Ok(updated.len())
}

/// Updates the idle limit, in seconds, of those of `ids` that are a person's live sessions, and their
/// expiry, which the next sweep compares with the clock. Returns how many rows changed.
pub(in crate::sessions) fn update_idle_limit(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[SessionId],
    seconds: i32,
    now: Timestamp,
) -> Result<usize> {
    use user_sessions::dsl;

    lock_live(c, user)?;
    let live = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq_any(in_few_sizes(ids)))
        .filter(dsl::is_active)
        .filter(dsl::expires_at.gt(now));
    let changes = (dsl::idle_seconds.eq(seconds), dsl::updated_at.eq(now));
    let rows = match c {
        AnyConnection::Postgres(c) => {
            let end =
                diesel::dsl::sql::<sql::Timestamptz>("least(absolute_expires_at, last_used_at + ")
                    .bind::<Integer, _>(seconds)
                    .sql(" * interval '1 second')");
            diesel::update(live)
                .set((changes, dsl::expires_at.eq(end), dsl::sweep_at.eq(now)))
                .execute(c)?
        }
        AnyConnection::Sqlite(c) => {
            let end = diesel::dsl::sql::<sql::Timestamptz>(
                "min(absolute_expires_at, strftime('%Y-%m-%d %H:%M:%f000', last_used_at, '+' || ",
            )
            .bind::<Integer, _>(seconds)
            .sql(" || ' seconds'))");
            diesel::update(live)
                .set((changes, dsl::expires_at.eq(end), dsl::sweep_at.eq(now)))
                .execute(c)?
        }
    };
    Ok(rows)
}

/// Marks a session as one of which impossible travel was recorded. Returns how many rows changed.
pub(in crate::sessions) fn mark_impossible_travel(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
) -> Result<usize> {
    let session = user_sessions::table
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id));
    Ok(diesel::update(session)
        .set(user_sessions::has_impossible_travel.eq(true))
        .execute(c)?)
}
