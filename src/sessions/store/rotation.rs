//! The queries of `user_sessions` that concern the refresh token: its rotation, its use and the
//! recent rotations.

use diesel::dsl::sql as literal;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text};

use super::lock_listed;
use super::model::Session;
use super::usage::{POSTGRES_EXPIRY, SQLITE_EXPIRY, expiry_if_used};
use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, SessionId, UserId, cached, on_each, sql};
use crate::error::Result;
use crate::geo::Place;
use crate::net::IpRetention;
use crate::sessions::rotation::{
    COUNTER_CHARS, ENTRY_CHARS, JTI_CHARS, JTI_PADDING, MAX_CHARS, MAX_ROTATIONS, RecentRotations,
    TIME_CHARS, format_time,
};
use crate::sessions::values::{Jti, last_used_bucket};

/// The condition of the index of sessions with recent rotations. SQLite uses a partial index only
/// for its literal condition.
const HAS_ROTATIONS: &str = "recent_rotations <> ''";
/// The next counter of the row's token, which stops at the largest that the column can have.
const NEXT_COUNTER: &str =
    "CASE WHEN rotation_count < 2147483647 THEN rotation_count + 1 ELSE rotation_count END";

/// A rotation by one conditional statement.
pub(in crate::sessions) struct RotationInput<'a> {
    /// The token to be spent.
    pub(in crate::sessions) spent: &'a Jti,
    /// The JTI of its successor.
    pub(in crate::sessions) new: &'a Jti,
    /// Every form in which the address of the request may be stored; empty when it is unknown.
    pub(in crate::sessions) addresses: &'a [String],
    /// The place of the request.
    pub(in crate::sessions) place: &'a Place,
    /// When and from where the token is spent, as the list of rotations stores it.
    pub(in crate::sessions) stamp: &'a str,
    /// Rotations before this are dropped from the list.
    pub(in crate::sessions) grace_start: Timestamp,
    /// The time of the rotation.
    pub(in crate::sessions) now: Timestamp,
}

/// The refresh token that a session has next, with what the row stores besides.
pub(in crate::sessions) struct NewToken {
    pub(in crate::sessions) jti: Jti,
    /// The token that it directly follows.
    pub(in crate::sessions) previous: Jti,
    pub(in crate::sessions) rotation_count: i32,
    pub(in crate::sessions) recent_rotations: RecentRotations,
    pub(in crate::sessions) is_used: bool,
}

/// The list of rotations with one more in front, without those before the grace period: the counter
/// and the JTI are the row's, what is between them is bound. Both databases understand it.
macro_rules! with_rotation {
    ($input:expr) => {
        literal::<Text>(&format!(
            "substr(substr('{:0<1$}' || CAST(rotation_count AS text), \
             length(CAST(rotation_count AS text)) + 1, {COUNTER_CHARS}) || ",
            "", COUNTER_CHARS
        ))
        .bind::<Text, _>($input.stamp)
        .sql(&format!(
            " || substr(refresh_token_jti || '{}', 1, {JTI_CHARS}) || (SELECT {} FROM (SELECT ",
            JTI_PADDING.to_string().repeat(JTI_CHARS),
            rotations_since("grace.start")
        ))
        .bind::<Text, _>(format_time($input.grace_start))
        .sql(&format!(" AS start) AS grace), 1, {MAX_CHARS})"))
    };
}

/// Returns the SQL of the stored rotations from `start` on, an expression. Times of fixed width
/// compare as text.
fn rotations_since(start: &str) -> String {
    let entries = (0..MAX_ROTATIONS).map(|index| {
        let entry = index * ENTRY_CHARS + 1;
        let time = entry + COUNTER_CHARS;
        format!(
            "CASE WHEN substr(recent_rotations, {time}, {TIME_CHARS}) >= {start} \
             THEN substr(recent_rotations, {entry}, {ENTRY_CHARS}) ELSE '' END"
        )
    });
    entries.collect::<Vec<_>>().join(" || ")
}

/// Spends a refresh token, if it is the current one of a live session of an active person, and the
/// address of the request is the stored one or unknown. This is the usual case, in one statement.
/// For a person whose addresses are not stored, the place is the stored one.
pub(in crate::sessions) fn rotate_jti(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    input: &RotationInput<'_>,
) -> Result<Option<Session>> {
    use user_sessions::dsl;

    let now = input.now;
    let stores_no_address = dsl::user_id.eq_any(
        users::table
            .filter(users::address_keeping.eq(IpRetention::None.as_str()))
            .select(users::id),
    );
    let place = input.place;
    let or_empty = |part: &Option<String>| part.clone().unwrap_or_default();
    let is_same_place = dsl::ip_address
        .is_null()
        .and(literal::<Text>("coalesce(location_city, '')").eq(or_empty(&place.city)))
        .and(literal::<Text>("coalesce(location_country, '')").eq(or_empty(&place.country)))
        .and(stores_no_address);
    let is_known = dsl::ip_address
        .eq_any(input.addresses.to_vec())
        .or(input.addresses.is_empty().into_sql::<Nullable<Bool>>())
        .or(is_same_place);
    let active_people = users::table
        .filter(users::is_active.eq(true))
        .select(users::id);
    let current = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id))
        .filter(dsl::refresh_token_jti.eq(input.spent.as_str()))
        .filter(dsl::is_active)
        .filter(dsl::expires_at.gt(now))
        .filter(is_known)
        .filter(dsl::user_id.eq_any(active_people));
    let changes = (
        dsl::refresh_token_jti.eq(input.new.as_str()),
        dsl::previous_jti.eq(input.spent.as_str()),
        dsl::rotation_count.eq(literal::<Integer>(NEXT_COUNTER)),
        dsl::recent_rotations.eq(with_rotation!(input)),
        dsl::is_token_used.eq(false),
        dsl::rotated_at.eq(now),
        dsl::last_used_at.eq(now),
        dsl::last_used_bucket.eq(last_used_bucket(now)),
        dsl::updated_at.eq(now),
    );
    let rotated = match c {
        AnyConnection::Postgres(c) => {
            let end = dsl::expires_at.eq(expiry_if_used!(now, POSTGRES_EXPIRY));
            cached(
                diesel::update(current)
                    .set((changes, end))
                    .returning(Session::as_returning()),
            )
            .get_result(c)
            .optional()?
        }
        AnyConnection::Sqlite(c) => {
            let end = dsl::expires_at.eq(expiry_if_used!(now, SQLITE_EXPIRY));
            cached(
                diesel::update(current)
                    .set((changes, end))
                    .returning(Session::as_returning()),
            )
            .get_result(c)
            .optional()?
        }
    };
    Ok(rotated)
}

/// Replaces the refresh token of a session whose row is locked. The time of the last use is left to
/// the statement that records the location.
pub(in crate::sessions) fn replace_token(
    c: &mut AnyConnection,
    session: &Session,
    token: &NewToken,
    now: Timestamp,
) -> Result<()> {
    use user_sessions::dsl;

    let row = dsl::user_sessions
        .filter(dsl::user_id.eq(session.user_id))
        .filter(dsl::id.eq(session.id))
        .filter(dsl::refresh_token_jti.eq(&session.refresh_token_jti))
        .filter(dsl::is_active);
    let changes = (
        dsl::refresh_token_jti.eq(token.jti.as_str()),
        dsl::previous_jti.eq(token.previous.as_str()),
        dsl::rotation_count.eq(token.rotation_count),
        dsl::recent_rotations.eq(token.recent_rotations.format()),
        dsl::is_token_used.eq(token.is_used),
        dsl::rotated_at.eq(now),
        dsl::expires_at.eq(session.expiry_if_used(now)),
        dsl::updated_at.eq(now),
    );
    on_each!(c, c => cached(diesel::update(row).set(changes).returning(dsl::id)).load::<SessionId>(c))?;
    Ok(())
}

/// Marks the current refresh token as used, if it is this one and not marked yet.
pub(in crate::sessions) fn mark_token_used(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    jti: &Jti,
) -> Result<usize> {
    use user_sessions::dsl;

    let unused = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id))
        .filter(dsl::refresh_token_jti.eq(jti.as_str()))
        .filter(dsl::is_token_used.eq(false));
    let mark = dsl::is_token_used.eq(true);
    let marked: Vec<SessionId> =
        on_each!(c, c => cached(diesel::update(unused).set(mark).returning(dsl::id)).load(c))?;
    Ok(marked.len())
}

/// Lists sessions whose last rotation was before `before` and is still stored, earliest first, at
/// most `limit`.
pub(in crate::sessions) fn list_rotated_before(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>> {
    let past = user_sessions::table
        .filter(literal::<Bool>(HAS_ROTATIONS))
        .filter(user_sessions::rotated_at.lt(before))
        .order(user_sessions::rotated_at)
        .limit(limit)
        .select(user_sessions::id)
        .load(c)?;
    Ok(past)
}

/// Clears the recent rotations of those of `ids` that were not rotated again since `before`.
pub(in crate::sessions) fn clear_rotations(
    c: &mut AnyConnection,
    ids: &[SessionId],
    before: Timestamp,
) -> Result<usize> {
    lock_listed(c, ids)?;
    let past = user_sessions::table
        .filter(user_sessions::id.eq_any(ids))
        .filter(user_sessions::rotated_at.lt(before));
    Ok(diesel::update(past)
        .set(user_sessions::recent_rotations.eq(""))
        .execute(c)?)
}
