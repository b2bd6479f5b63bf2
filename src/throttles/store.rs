//! Every query of `account_throttles`.

use diesel::dsl::{case_when, exists};
use diesel::prelude::*;
use diesel::query_dsl::methods;

use super::delay::Deadlines;
use crate::clock::Timestamp;
use crate::db::schema::account_throttles;
use crate::db::{AnyConnection, UserId, cached, on_each, sql};
use crate::error::Result;

/// A try to be counted.
pub(super) struct Try {
    pub(super) key: String,
    pub(super) user: Option<UserId>,
    pub(super) at: Timestamp,
    /// Failures whose last try was at or before this are forgotten.
    pub(super) forgotten_at: Timestamp,
    pub(super) free_failures: i32,
    pub(super) deadlines: Deadlines,
    /// A last try after this is none that a clock which is right has dated.
    pub(super) latest: Timestamp,
}

/// The failures of a lane, and when its last try was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) count: i32,
    pub(super) last_at: Timestamp,
}

/// Counts a try as a failure, unless a delay is in force, in one statement: however many come at
/// once, on whichever nodes, they are let in one after another. Returns the failures with this one;
/// `None` during a delay.
pub(super) fn take(c: &mut AnyConnection, attempt: &Try) -> Result<Option<i32>> {
    use account_throttles::dsl;

    let row = (
        dsl::key.eq(&attempt.key),
        dsl::user_id.eq(attempt.user),
        dsl::failures.eq(1),
        dsl::last_at.eq(attempt.at),
    );
    let remembered = case_when(dsl::last_at.gt(attempt.forgotten_at), dsl::failures + 1);
    let changes = (
        dsl::failures.eq(remembered.otherwise(1)),
        dsl::last_at.eq(attempt.at),
    );
    let [first, d1, d2, d3, d4, d5, d6, d7, d8, d9, last] = attempt.deadlines;
    let deadline = case_when(
        dsl::failures.lt(first.0),
        first.1.into_sql::<sql::Timestamptz>(),
    )
    .when(dsl::failures.lt(d1.0), d1.1)
    .when(dsl::failures.lt(d2.0), d2.1)
    .when(dsl::failures.lt(d3.0), d3.1)
    .when(dsl::failures.lt(d4.0), d4.1)
    .when(dsl::failures.lt(d5.0), d5.1)
    .when(dsl::failures.lt(d6.0), d6.1)
    .when(dsl::failures.lt(d7.0), d7.1)
    .when(dsl::failures.lt(d8.0), d8.1)
    .when(dsl::failures.lt(d9.0), d9.1)
    .otherwise(last.1);
    let is_free = dsl::failures.lt(attempt.free_failures);
    let is_over = dsl::last_at.le(deadline);
    let is_misdated = dsl::last_at.gt(attempt.latest);
    let may_try = is_free.or(is_over).or(is_misdated);
    let counted = diesel::insert_into(dsl::account_throttles)
        .values(row)
        .on_conflict(dsl::key)
        .do_update()
        .set(changes);
    let counted = methods::FilterDsl::filter(counted, may_try);
    let taken = on_each!(c, c => cached(counted.returning(dsl::failures))
        .get_result(c)
        .optional())?;
    Ok(taken)
}

/// Finds the failures of a lane.
pub(super) fn find(c: &mut AnyConnection, key: &str) -> Result<Option<Failures>> {
    let row: Option<(i32, Timestamp)> = account_throttles::table
        .find(key)
        .select((account_throttles::failures, account_throttles::last_at))
        .get_result(c)
        .optional()?;
    Ok(row.map(|(count, last_at)| Failures { count, last_at }))
}

/// Takes one failure off a lane: a try that was counted and not decided.
pub(super) fn refund(c: &mut AnyConnection, key: &str) -> Result<()> {
    use account_throttles::dsl;

    let counted = dsl::account_throttles.find(key).filter(dsl::failures.gt(0));
    diesel::update(counted)
        .set(dsl::failures.eq(dsl::failures - 1))
        .execute(c)?;
    Ok(())
}

/// Deletes the failures of a lane.
pub(super) fn delete(c: &mut AnyConnection, key: &str) -> Result<()> {
    diesel::delete(account_throttles::table.find(key)).execute(c)?;
    Ok(())
}

/// Returns whether a lane of a person has so many failures.
pub(super) fn has_failures(c: &mut AnyConnection, user: UserId, least: i32) -> Result<bool> {
    let own = account_throttles::table
        .filter(account_throttles::user_id.eq(user))
        .filter(account_throttles::failures.ge(least));
    Ok(diesel::select(exists(own)).get_result(c)?)
}

/// Lists those of these people of whom a lane has so many failures.
pub(super) fn list_with_failures(
    c: &mut AnyConnection,
    users: &[UserId],
    least: i32,
) -> Result<Vec<UserId>> {
    Ok(account_throttles::table
        .filter(account_throttles::user_id.eq_any(users))
        .filter(account_throttles::failures.ge(least))
        .select(account_throttles::user_id.assume_not_null())
        .distinct()
        .load(c)?)
}

/// Deletes the failures of every lane of a person. Returns how many lanes had any.
pub(super) fn delete_of_user(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let own = account_throttles::table
        .filter(account_throttles::user_id.eq(user))
        .order(account_throttles::key)
        .select(account_throttles::key);
    let keys: Vec<String> = match c {
        AnyConnection::Postgres(c) => own.for_update().load(c)?,
        AnyConnection::Sqlite(c) => own.load(c)?,
    };
    delete_locked(c, &keys)
}

/// Deletes the failures of lanes, in whichever of them there are any.
pub(super) fn delete_several(c: &mut AnyConnection, keys: &[String]) -> Result<usize> {
    lock(c, keys)?;
    delete_locked(c, keys)
}

/// Locks rows in the order of their keys, in which all that delete several do.
fn lock(c: &mut AnyConnection, keys: &[String]) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        account_throttles::table
            .filter(account_throttles::key.eq_any(keys))
            .order(account_throttles::key)
            .select(account_throttles::key)
            .for_update()
            .load::<String>(c)?;
    }
    Ok(())
}

fn delete_locked(c: &mut AnyConnection, keys: &[String]) -> Result<usize> {
    let listed = account_throttles::table.filter(account_throttles::key.eq_any(keys));
    Ok(diesel::delete(listed).execute(c)?)
}

/// Deletes at most `limit` rows whose last try was before `before`. Those of sessions stay until
/// `sessions_before`. Of the others only about the `most` that were tried last stay, whether an account
/// is behind them or not: so neither their number nor what is purged tells one from the other.
pub(super) fn purge(
    c: &mut AnyConnection,
    before: Timestamp,
    sessions_before: Timestamp,
    (most, limit): (i64, i64),
) -> Result<usize> {
    use account_throttles::dsl;

    let surplus: Option<Timestamp> = dsl::account_throttles
        .filter(dsl::key.not_like("session%"))
        .order(dsl::last_at.desc())
        .offset(most)
        .select(dsl::last_at)
        .first(c)
        .optional()?;
    let before = surplus.map_or(before, |surplus| surplus.max(before));
    let old = dsl::account_throttles
        .filter(dsl::last_at.lt(before))
        .filter(
            dsl::key
                .not_like("session%")
                .or(dsl::last_at.lt(sessions_before)),
        )
        .order(dsl::last_at)
        .limit(limit)
        .select(dsl::key);
    let keys: Vec<String> = old.load(c)?;
    lock(c, &keys)?;
    let purged = dsl::account_throttles
        .filter(dsl::key.eq_any(keys))
        .filter(dsl::last_at.lt(before));
    Ok(diesel::delete(purged).execute(c)?)
}
