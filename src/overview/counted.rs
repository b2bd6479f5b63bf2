//! What figures are made of: labels with their number, hours and days.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::counters;

/// The hours whose sign-ins are counted one by one, the present one included.
pub const HOURS: i32 = 24;
/// The days whose figures are counted, in UTC, today included.
pub const DAYS: i32 = 30;

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

/// Returns the first hour of the first day that is counted.
pub(super) fn first_hour(now: Timestamp) -> i32 {
    (day_of(now) - DAYS + 1) * 24
}

pub(super) fn day_of(at: Timestamp) -> i32 {
    counters::hour_of(at).div_euclid(24)
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
