//! Every query of `count_deltas`, `hourly_counts`, `live_counts` and `live_people_counts`. Nothing here
//! inserts deltas: the triggers of `user_sessions` and `alerts` do.

use diesel::dsl::{auto_type, count, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use super::values::{Dimension, Metric};
use crate::clock::Timestamp;
use crate::db::schema::{count_deltas, hourly_counts, live_counts, live_people_counts};
use crate::db::{AnyConnection, CountDeltaId, on_each};
use crate::error::Result;

/// The id of the only row of `live_people_counts`.
const PEOPLE_ROW: i32 = 1;

/// A change that is not added to the totals yet.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = count_deltas)]
pub(super) struct Delta {
    id: CountDeltaId,
    pub(super) hour: i32,
    pub(super) event: String,
    pub(super) label: String,
    pub(super) change: i16,
    pub(super) device_kind: String,
    pub(super) browser: String,
    pub(super) os: String,
    pub(super) country: String,
}

/// Lists pending deltas, at most `limit`.
pub(super) fn list_deltas(c: &mut AnyConnection, limit: i64) -> Result<Vec<Delta>> {
    Ok(count_deltas::table
        .limit(limit)
        .select(Delta::as_select())
        .load(c)?)
}

/// Deletes those of `deltas` that are still there, and returns them.
pub(super) fn delete_deltas(c: &mut AnyConnection, deltas: &[Delta]) -> Result<Vec<Delta>> {
    let ids: Vec<CountDeltaId> = deltas.iter().map(|delta| delta.id).collect();
    let listed = count_deltas::table.filter(count_deltas::id.eq_any(ids));
    let deleted = on_each!(c, c => diesel::delete(listed)
        .returning(Delta::as_returning())
        .get_results(c))?;
    Ok(deleted)
}

/// Lists the labels of a dimension with their totals, the largest first, at most `limit`.
pub(super) fn list_live(
    c: &mut AnyConnection,
    dimension: Dimension,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    Ok(live_counts::table
        .filter(live_counts::dimension.eq(dimension.as_str()))
        .order(live_counts::total.desc())
        .limit(limit)
        .select((live_counts::label, live_counts::total))
        .load(c)?)
}

/// Adds to the total of a label.
pub(super) fn add_live(
    c: &mut AnyConnection,
    dimension: Dimension,
    label: &str,
    change: i64,
) -> Result<()> {
    let row = (
        live_counts::dimension.eq(dimension.as_str()),
        live_counts::label.eq(label),
        live_counts::total.eq(change),
    );
    on_each!(c, c => diesel::insert_into(live_counts::table)
        .values(row)
        .on_conflict((live_counts::dimension, live_counts::label))
        .do_update()
        .set(live_counts::total.eq(live_counts::total + change))
        .execute(c))?;
    Ok(())
}

/// Deletes labels without sessions.
pub(super) fn delete_empty(c: &mut AnyConnection) -> Result<usize> {
    let empty = live_counts::table.filter(live_counts::total.eq(0));
    Ok(diesel::delete(empty).execute(c)?)
}

/// Deletes the totals of every label.
pub(super) fn delete_live(c: &mut AnyConnection) -> Result<usize> {
    Ok(diesel::delete(live_counts::table).execute(c)?)
}

/// Adds to the figure of an hour.
pub(super) fn add_hourly(
    c: &mut AnyConnection,
    (hour, metric, label): (i32, Metric, &str),
    n: i64,
) -> Result<()> {
    let row = (
        hourly_counts::hour.eq(hour),
        hourly_counts::metric.eq(metric.as_str()),
        hourly_counts::label.eq(label),
        hourly_counts::total.eq(n),
    );
    let key = (
        hourly_counts::hour,
        hourly_counts::metric,
        hourly_counts::label,
    );
    on_each!(c, c => diesel::insert_into(hourly_counts::table)
        .values(row)
        .on_conflict(key)
        .do_update()
        .set(hourly_counts::total.eq(hourly_counts::total + n))
        .execute(c))?;
    Ok(())
}

/// Raises the figure of an hour to `least`, if it is smaller.
pub(super) fn raise_hourly(
    c: &mut AnyConnection,
    (hour, metric, label): (i32, Metric, &str),
    least: i64,
) -> Result<()> {
    add_hourly(c, (hour, metric, label), 0)?;
    let smaller = hourly_counts::table
        .find((hour, metric.as_str(), label))
        .filter(hourly_counts::total.lt(least));
    diesel::update(smaller)
        .set(hourly_counts::total.eq(least))
        .execute(c)?;
    Ok(())
}

/// Returns the figures of a metric since an hour.
#[auto_type(no_type_alias)]
fn since_hour(metric: &'static str, since: i32) -> _ {
    hourly_counts::table
        .filter(hourly_counts::metric.eq(metric))
        .filter(hourly_counts::hour.ge(since))
}

/// Lists the figures of the hours since `since`.
pub(super) fn list_by_hour(
    c: &mut AnyConnection,
    metric: Metric,
    since: i32,
) -> Result<Vec<(i32, i64)>> {
    Ok(since_hour(metric.as_str(), since)
        .group_by(hourly_counts::hour)
        .select((hourly_counts::hour, sql::<BigInt>(SUM)))
        .load(c)?)
}

/// Lists the figures since the hour `since` by label.
pub(super) fn list_by_label(
    c: &mut AnyConnection,
    metric: Metric,
    since: i32,
) -> Result<Vec<(String, i64)>> {
    Ok(since_hour(metric.as_str(), since)
        .group_by(hourly_counts::label)
        .select((hourly_counts::label, sql::<BigInt>(SUM)))
        .load(c)?)
}

/// Lists the figures since the hour `since` by hour and label.
pub(super) fn list_by_hour_and_label(
    c: &mut AnyConnection,
    metric: Metric,
    since: i32,
) -> Result<Vec<(i32, String, i64)>> {
    Ok(since_hour(metric.as_str(), since)
        .select((
            hourly_counts::hour,
            hourly_counts::label,
            hourly_counts::total,
        ))
        .load(c)?)
}

/// Counts the labels of each hour since the hour `since`.
pub(super) fn count_labels_by_hour(
    c: &mut AnyConnection,
    metric: Metric,
    since: i32,
) -> Result<Vec<(i32, i64)>> {
    Ok(since_hour(metric.as_str(), since)
        .group_by(hourly_counts::hour)
        .select((hourly_counts::hour, count(hourly_counts::label)))
        .load(c)?)
}

/// Counts the labels of each of the days that begin with these hours, oldest first, by that hour.
pub(super) fn count_labels_by_day(
    c: &mut AnyConnection,
    metric: Metric,
    days: &[i32],
) -> Result<Vec<(i32, i64)>> {
    let Some(first) = days.first() else {
        return Ok(Vec::new());
    };
    // Days may have any number of hours, where clocks are changed.
    let cases = days
        .iter()
        .rev()
        .map(|day| format!("WHEN hour >= {day} THEN {day} "));
    let case = format!("CASE {}END", cases.collect::<String>());
    let day = || sql::<Integer>(&case);
    Ok(since_hour(metric.as_str(), *first)
        .group_by(day())
        .select((day(), count(hourly_counts::label).aggregate_distinct()))
        .load(c)?)
}

/// Lists the labels with the largest sums since the hour `since`, the largest first, at most `limit`.
pub(super) fn list_top_labels(
    c: &mut AnyConnection,
    metric: Metric,
    since: i32,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    Ok(since_hour(metric.as_str(), since)
        .group_by(hourly_counts::label)
        .order((sql::<BigInt>(SUM).desc(), hourly_counts::label))
        .limit(limit)
        .select((hourly_counts::label, sql::<BigInt>(SUM)))
        .load(c)?)
}

/// The sum, which PostgreSQL would return as `numeric`.
const SUM: &str = "CAST(sum(total) AS BIGINT)";

/// Deletes the figures of hours before `before`. Returns how many.
pub(super) fn purge_hourly(c: &mut AnyConnection, before: i32) -> Result<usize> {
    let old = hourly_counts::table.filter(hourly_counts::hour.lt(before));
    Ok(diesel::delete(old).execute(c)?)
}

/// Deletes the figures of these metrics of hours before `before`. Returns how many.
pub(super) fn purge_metrics(
    c: &mut AnyConnection,
    metrics: &[Metric],
    before: i32,
) -> Result<usize> {
    let metrics: Vec<&str> = metrics.iter().map(|metric| metric.as_str()).collect();
    let old = hourly_counts::table
        .filter(hourly_counts::hour.lt(before))
        .filter(hourly_counts::metric.eq_any(metrics));
    Ok(diesel::delete(old).execute(c)?)
}

/// Finds the number of people with live sessions, and when they were counted.
pub(super) fn find_people(c: &mut AnyConnection) -> Result<Option<(i64, Timestamp)>> {
    let found: Option<(Option<i64>, Option<Timestamp>)> = live_people_counts::table
        .find(PEOPLE_ROW)
        .select((live_people_counts::total, live_people_counts::counted_at))
        .get_result(c)
        .optional()?;
    Ok(found.and_then(|(total, at)| Some((total?, at?))))
}

/// Claims counting people, unless that was claimed after `before`.
pub(super) fn claim_people(
    c: &mut AnyConnection,
    now: Timestamp,
    before: Timestamp,
) -> Result<bool> {
    let is_due = live_people_counts::claimed_at
        .is_null()
        .or(live_people_counts::claimed_at.le(before));
    let row = live_people_counts::table
        .filter(live_people_counts::id.eq(PEOPLE_ROW))
        .filter(is_due.assume_not_null());
    let claimed = diesel::update(row)
        .set(live_people_counts::claimed_at.eq(now))
        .execute(c)?;
    Ok(claimed == 1)
}

/// Updates the number of people with live sessions.
pub(super) fn update_people(c: &mut AnyConnection, total: i64, at: Timestamp) -> Result<()> {
    let changes = (
        live_people_counts::total.eq(total),
        live_people_counts::counted_at.eq(at),
    );
    diesel::update(live_people_counts::table.find(PEOPLE_ROW))
        .set(changes)
        .execute(c)?;
    Ok(())
}
