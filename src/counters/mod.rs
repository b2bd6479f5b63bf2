//! Counters: live sessions, and what happened by the hour. The database's triggers insert a delta for
//! each change of a session and each alert, in the transaction of the change; a job adds the deltas to
//! the totals, on one node at a time. A figure is its total and the pending deltas, read from one
//! snapshot, so it is exact at any moment and on any number of nodes. What was refused is counted by
//! the statement that records it, and has no deltas.

mod store;
mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use self::store::Delta;
pub use self::values::{Dimension, HourlyCounts, LiveCounts, Metric};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::Result;

/// How long the figures of an hour are stored.
const HOURLY_RETENTION_HOURS: i32 = 400 * 24;
/// How long it is stored who was throttled: as long as the overview looks back.
const SUBJECT_RETENTION_HOURS: i32 = 31 * 24;
/// The pending deltas that one reading adds up at most. There are more only while the job that adds
/// them to the totals is behind.
const MAX_PENDING: i64 = 5_000;
/// The labels of one dimension that one reading has at most: those with the most sessions.
const MAX_LABELS: i64 = 1_000;
/// The accounts or networks with the most throttled tries that are named.
const TOP_SUBJECTS: i64 = 10;
/// How often the people with live sessions are counted.
const PEOPLE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// What the counters say.
#[derive(Debug, Default)]
pub struct Counts {
    /// The live sessions: those that are not marked as ended.
    pub live: LiveCounts,
    /// The sign-ins by hour.
    pub sign_ins: BTreeMap<i32, i64>,
    /// The ends by reason.
    pub ends: BTreeMap<String, i64>,
    /// The alerts by kind.
    pub alerts: BTreeMap<String, i64>,
    /// Whether more deltas are pending than one reading adds up: then some are missing.
    pub is_behind: bool,
}

/// Returns the hour that `at` is in, counted from the Unix epoch.
#[must_use]
pub fn hour_of(at: Timestamp) -> i32 {
    i32::try_from(at.timestamp().div_euclid(3_600)).unwrap_or(i32::MAX)
}

/// Returns the first moment of an hour.
#[must_use]
pub fn start_of(hour: i32) -> Timestamp {
    Timestamp::clamped(i64::from(hour) * 3_600_000_000)
}

/// Reads the counters, with what happened since the hour `since`, as a part of a snapshot.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn read(c: &mut AnyConnection, since: i32) -> Result<Counts> {
    let mut pending = store::list_deltas(c, MAX_PENDING + 1)?;
    let is_behind = i64::try_from(pending.len()).is_ok_and(|pending| pending > MAX_PENDING);
    pending.truncate(usize::try_from(MAX_PENDING).unwrap_or_default());
    let mut live = LiveCounts::new();
    for dimension in Dimension::ALL {
        for (label, total) in store::list_live(c, dimension, MAX_LABELS)? {
            live.insert((dimension, label), total);
        }
    }
    let mut counts = Counts {
        live,
        sign_ins: store::list_by_hour(c, Metric::SignIn, since)?
            .into_iter()
            .collect(),
        ends: store::list_by_label(c, Metric::End, since)?
            .into_iter()
            .collect(),
        alerts: store::list_by_label(c, Metric::Alert, since)?
            .into_iter()
            .collect(),
        is_behind,
    };
    let (live, hourly) = add_up_deltas(pending);
    for (key, change) in live {
        *counts.live.entry(key).or_default() += change;
    }
    for ((hour, metric, label), n) in hourly {
        if hour < since {
            continue;
        }
        match metric {
            Metric::SignIn => *counts.sign_ins.entry(hour).or_default() += n,
            Metric::End => *counts.ends.entry(label).or_default() += n,
            Metric::Alert => *counts.alerts.entry(label).or_default() += n,
            // They are added at once, and have no deltas.
            Metric::Refusal | Metric::ThrottledAccount | Metric::ThrottledNetwork => {}
        }
    }
    counts.live.retain(|_, total| *total > 0);
    Ok(counts)
}

/// Reads what was refused since the hour `since`: how many requests, by hour and by the kind of their
/// event.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn read_refusals(
    c: &mut AnyConnection,
    since: i32,
) -> Result<BTreeMap<(i32, String), i64>> {
    let refused = store::list_by_hour_and_label(c, Metric::Refusal, since)?;
    Ok(refused
        .into_iter()
        .map(|(hour, label, total)| ((hour, label), total))
        .collect())
}

/// Who was throttled: accounts, or networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThrottledSubjects {
    /// How many there were in each hour.
    pub by_hour: BTreeMap<i32, i64>,
    /// How many there were on each day, by its first hour.
    pub by_day: BTreeMap<i32, i64>,
    /// Those with the most throttled tries, the most first, with their number.
    pub top: Vec<(String, i64)>,
}

/// Reads who was throttled: in each hour since `since`, on each of the days that begin with these hours,
/// oldest first, and those with the most tries since `since`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn read_throttled(
    c: &mut AnyConnection,
    metric: Metric,
    (since, days): (i32, &[i32]),
) -> Result<ThrottledSubjects> {
    Ok(ThrottledSubjects {
        by_hour: store::count_labels_by_hour(c, metric, since)?
            .into_iter()
            .collect(),
        by_day: store::count_labels_by_day(c, metric, days)?
            .into_iter()
            .collect(),
        top: store::list_top_labels(c, metric, since, TOP_SUBJECTS)?,
    })
}

/// Adds up to `limit` deltas to the totals. Returns how many, as a part of a transaction with the
/// lock of the counters.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn add_up(c: &mut AnyConnection, limit: i64) -> Result<usize> {
    let pending = store::list_deltas(c, limit)?;
    if pending.is_empty() {
        return Ok(0);
    }
    let taken = store::delete_deltas(c, &pending)?;
    let added = taken.len();
    let (live, hourly) = add_up_deltas(taken);
    for ((dimension, label), change) in live.iter().filter(|(_, change)| **change != 0) {
        store::add_live(c, *dimension, label, *change)?;
    }
    store::delete_empty(c)?;
    for ((hour, metric, label), n) in &hourly {
        store::add_hourly(c, (*hour, *metric, label), *n)?;
    }
    Ok(added)
}

/// Adds to the figures of hours, in one order, in which other nodes lock the same rows.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn add_hourly(c: &mut AnyConnection, counts: &HourlyCounts) -> Result<()> {
    counts.iter().try_for_each(|((hour, metric, label), n)| {
        store::add_hourly(c, (*hour, *metric, label), *n)
    })
}

/// Purges figures of hours past their retention. Returns how many.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn purge(c: &mut AnyConnection, now: Timestamp) -> Result<usize> {
    let old = store::purge_hourly(c, hour_of(now).saturating_sub(HOURLY_RETENTION_HOURS))?;
    let before = hour_of(now).saturating_sub(SUBJECT_RETENTION_HOURS);
    let subjects = store::purge_metrics(c, &Metric::SUBJECTS, before)?;
    Ok(old + subjects)
}

/// Replaces the figures of the live sessions by `live`, and raises those of hours to what `hourly`
/// has: rows that were purged stay counted. `live` and `hourly` are of the same snapshot as the pending
/// deltas, which are deleted.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn replace(
    c: &mut AnyConnection,
    live: &LiveCounts,
    hourly: &HourlyCounts,
) -> Result<()> {
    let limit = MAX_PENDING;
    while add_up(c, limit)? > 0 {}
    store::delete_live(c)?;
    for ((dimension, label), total) in live {
        store::add_live(c, *dimension, label, *total)?;
    }
    for ((hour, metric, label), total) in hourly {
        store::raise_hourly(c, (*hour, *metric, label), *total)?;
    }
    Ok(())
}

/// The number of people with live sessions, as it was counted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedPeople {
    /// How many.
    pub total: i64,
    /// When they were counted.
    pub at: Timestamp,
}

/// Finds the number of people with live sessions that was counted last.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn find_people(c: &mut AnyConnection) -> Result<Option<CountedPeople>> {
    let found = store::find_people(c)?;
    Ok(found.map(|(total, at)| CountedPeople { total, at }))
}

/// Claims counting the people with live sessions, unless a node has done so in the last ten minutes.
/// Returns whether this one counts.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn claim_people(c: &mut AnyConnection, now: Timestamp) -> Result<bool> {
    store::claim_people(c, now, now - PEOPLE_INTERVAL)
}

/// Records the number of people with live sessions.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn record_people(c: &mut AnyConnection, counted: CountedPeople) -> Result<()> {
    store::update_people(c, counted.total, counted.at)
}

/// Returns the changes of the totals by these deltas.
fn add_up_deltas(deltas: Vec<Delta>) -> (LiveCounts, HourlyCounts) {
    let (mut live, mut hourly) = (LiveCounts::new(), HourlyCounts::new());
    for delta in deltas {
        // A move or a deletion is counted by no hour.
        if let Ok(metric) = delta.event.parse::<Metric>() {
            *hourly.entry((delta.hour, metric, delta.label)).or_default() += 1;
        }
        let change = i64::from(delta.change);
        if change == 0 {
            continue;
        }
        for (dimension, label) in [
            (Dimension::All, String::new()),
            (Dimension::Kind, delta.device_kind),
            (Dimension::Browser, delta.browser),
            (Dimension::Os, delta.os),
            (Dimension::Country, delta.country),
        ] {
            *live.entry((dimension, label)).or_default() += change;
        }
    }
    (live, hourly)
}
