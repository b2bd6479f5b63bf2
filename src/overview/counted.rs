//! What figures are made of: labels with their number, hours and days.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::clock::{TimeZone, Timestamp};
use crate::counters;

/// The hours whose sign-ins are counted one by one, the present one included.
const HOURS: i32 = 24;
/// The days whose figures are counted, today included.
const DAYS: usize = 30;
/// The seconds of an hour.
const HOUR: i64 = 60 * 60;

/// A label and how many there are of it. The label is empty where it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// How many.
    pub total: i64,
}

impl LabelCount {
    pub(super) fn new(label: &str, total: i64) -> Self {
        Self {
            label: label.to_owned(),
            total,
        }
    }

    pub(super) fn largest_first(&self, other: &Self) -> std::cmp::Ordering {
        other
            .total
            .cmp(&self.total)
            .then_with(|| self.label.cmp(&other.label))
    }
}

/// The hours and the days that are counted, up to a moment.
#[derive(Debug)]
pub(super) struct Span {
    /// The moment.
    pub(super) now: Timestamp,
    /// The hours of the last 24.
    pub(super) hours: Range<i32>,
    /// The hours of each day, the oldest day first.
    pub(super) days: Vec<Range<i32>>,
}

impl Span {
    /// Returns the hours until `now`, and the days by the clocks of a zone. Hours are counted whole: one
    /// belongs to the day that it begins on, so that where clocks differ from UTC by a part of an hour, days
    /// begin that much after midnight.
    pub(super) fn new(now: Timestamp, zone: TimeZone) -> Self {
        let end = counters::hour_of(now).saturating_add(1);
        let mut days = Vec::new();
        let (mut until, mut start) = (end, zone.day_start(now));
        for _ in 0..DAYS {
            let first = first_hour_since(start);
            days.push(first..until);
            until = first;
            start = zone.day_start(start - Duration::from_secs(1));
        }
        days.reverse();
        Self {
            now,
            hours: end - HOURS..end,
            days,
        }
    }

    /// Returns the first hour of the first day that is counted.
    pub(super) fn first_hour(&self) -> i32 {
        self.days.first().map_or(self.hours.start, |day| day.start)
    }
}

/// Returns the first hour that begins at a moment or later.
fn first_hour_since(at: Timestamp) -> i32 {
    let hour = counters::hour_of(at);
    match at.timestamp().rem_euclid(HOUR) {
        0 => hour,
        _ => hour.saturating_add(1),
    }
}

/// Returns counts by label, the most frequent first.
pub(super) fn sorted(counts: &BTreeMap<String, i64>) -> Vec<LabelCount> {
    let mut sorted: Vec<LabelCount> = counts
        .iter()
        .filter(|(_, total)| **total > 0)
        .map(|(label, total)| LabelCount::new(label, *total))
        .collect();
    sorted.sort_by(LabelCount::largest_first);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(zone: &str, now: &str) -> Vec<Range<i32>> {
        let now = chrono::DateTime::parse_from_rfc3339(now).expect("a time");
        let zone = TimeZone::find(zone).expect("a zone");
        Span::new(now.to_utc().into(), zone).days
    }

    #[test]
    fn days_begin_by_the_clocks_of_the_zone() {
        for (zone, starts, hours) in [
            ("UTC", 0, 12),
            ("America/Los_Angeles", 8, 4),
            ("Asia/Kathmandu", 19, 17),
            ("Asia/Kolkata", 19, 17),
            ("Pacific/Auckland", 11, 1),
        ] {
            let days = days(zone, "2026-11-23T11:30:00Z");
            let today = days.last().expect("today");
            assert_eq!(days.len(), DAYS, "{zone}");
            assert_eq!(today.start.rem_euclid(24), starts, "{zone}");
            assert_eq!(today.len(), hours, "{zone}");
            assert!(days.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn a_day_on_which_the_clocks_change_has_more_or_fewer_hours() {
        let lengths = |zone, now| -> Vec<usize> {
            let mut lengths: Vec<_> = days(zone, now).iter().map(Range::len).collect();
            lengths.pop();
            lengths.sort_unstable();
            lengths.dedup();
            lengths
        };
        assert_eq!(lengths("Europe/Lisbon", "2026-11-10T12:00:00Z"), [24, 25]);
        assert_eq!(lengths("Europe/Lisbon", "2026-04-10T12:00:00Z"), [23, 24]);
        assert_eq!(lengths("UTC", "2026-11-10T12:00:00Z"), [24]);
        for zone in TimeZone::offered() {
            let now = Timestamp::clamped(1_795_000_000_000_000);
            assert_eq!(Span::new(now, zone.zone).days.len(), DAYS);
        }
    }
}
