//! The hours and the days of charts, by the reader's clock.

use chrono::Timelike;

use crate::clock::Timestamp;
use crate::http::reader_clock::ReaderClock;

/// What the bars of a chart are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
}

impl Unit {
    /// Returns the heading of the column with their names.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Hour => "Hour",
            Self::Day => "Day",
        }
    }

    /// Returns after how many bars the next one has its name below it.
    pub(super) fn step(self) -> usize {
        match self {
            Self::Hour => 4,
            Self::Day => 7,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Returns the names of the periods that begin at these times. Where the clocks are changed meanwhile, an
    /// hour's tells by which of both.
    pub(super) fn names(self, starts: &[Timestamp], clock: ReaderClock) -> Vec<String> {
        let offset = |at: &Timestamp| clock.zone.offset(*at);
        let is_changed = starts.first().map(offset) != starts.last().map(offset);
        let name = |at: &Timestamp| match self {
            Self::Hour if is_changed => clock.zone.time_of_day(*at),
            Self::Hour => clock.zone.local(*at).format("%H:%M").to_string(),
            Self::Day => clock.zone.local(*at).format("%-d %b").to_string(),
        };
        starts.iter().map(name).collect()
    }

    /// Says how many there were until the time of the clock, and in which of the periods the most.
    pub(super) fn summary(
        self,
        values: &[(String, i64)],
        starts: &[Timestamp],
        clock: ReaderClock,
        number: fn(i64) -> String,
    ) -> String {
        let all: i64 = values.iter().map(|(_, n)| n).sum();
        let most = values.iter().max_by_key(|(_, n)| *n);
        let until = format!("until {}", clock.zone.time_of_day(clock.now));
        let sentence = match most.filter(|(_, n)| *n > 0) {
            Some((name, n)) => format!(
                "{} in all, {until}; the {} with the most is {name}, with {}.",
                number(all),
                self.name(),
                number(*n)
            ),
            None => format!("None, {until}."),
        };
        match self.describe_start(starts, clock) {
            Some(words) => format!("{sentence} {words}"),
            None => sentence,
        }
    }

    /// Says when days begin, where that is not at midnight: they consist of whole hours of UTC.
    fn describe_start(self, starts: &[Timestamp], clock: ReaderClock) -> Option<String> {
        let local = |at: &Timestamp| clock.zone.local(*at);
        let late = starts.iter().map(local).find(|start| start.minute() > 0);
        let start = late.filter(|_| self == Self::Day)?.format("%H:%M");
        Some(format!(
            "Days are counted from {start}, in whole hours of UTC."
        ))
    }
}

/// Returns the start of an hour as filters take it.
pub(super) fn filter_time(at: Timestamp) -> String {
    match at.hour() {
        0 => at.format("%Y-%m-%d").to_string(),
        _ => at.format("%Y-%m-%dT%H:00:00Z").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::TimeZone;
    use crate::http::reader_clock::ZoneSource;

    fn clock(zone: &str, now: &str) -> ReaderClock {
        let now = chrono::DateTime::parse_from_rfc3339(now).expect("a time");
        ReaderClock {
            now: now.to_utc().into(),
            zone: TimeZone::find(zone).expect("a zone"),
            source: ZoneSource::Setting,
        }
    }

    fn hours(clock: ReaderClock) -> Vec<String> {
        let hour = |ago: u64| clock.now - Duration::from_secs(ago * 60 * 60);
        let starts: Vec<Timestamp> = (0..24).rev().map(hour).collect();
        Unit::Hour.names(&starts, clock)
    }

    #[test]
    fn hours_are_named_by_the_readers_clock() {
        for (zone, first, last) in [
            ("UTC", "13:00", "12:00"),
            ("America/Los_Angeles", "05:00", "04:00"),
            ("Asia/Kolkata", "18:30", "17:30"),
            ("Asia/Kathmandu", "18:45", "17:45"),
        ] {
            let names = hours(clock(zone, "2026-11-23T12:00:00Z"));
            assert_eq!((&*names[0], &*names[23]), (first, last), "{zone}");
        }
    }

    #[test]
    fn no_two_hours_have_one_name() {
        for now in ["2026-10-25T12:00:00Z", "2026-03-29T12:00:00Z"] {
            for zone in TimeZone::offered() {
                let mut names = hours(clock(zone.zone.name(), now));
                names.sort();
                names.dedup();
                assert_eq!(names.len(), 24, "{}", zone.zone.name());
            }
        }
        let names = hours(clock("Europe/Lisbon", "2026-10-25T12:00:00Z"));
        assert!(names.contains(&"01:00 WEST".into()) && names.contains(&"01:00 WET".into()));
    }

    #[test]
    fn days_that_do_not_begin_at_midnight_say_so() {
        let summary = |zone: &str, start: &str| {
            let clock = clock(zone, start);
            let values = [("23 Nov".to_owned(), 3)];
            Unit::Day.summary(&values, &[clock.now], clock, |n| n.to_string())
        };
        assert_eq!(
            summary("Asia/Kolkata", "2026-11-22T19:00:00Z"),
            "3 in all, until 00:30 IST; the day with the most is 23 Nov, with 3. Days are counted from \
             00:30, in whole hours of UTC."
        );
        assert_eq!(
            summary("Europe/Paris", "2026-11-22T23:00:00Z"),
            "3 in all, until 00:00 CET; the day with the most is 23 Nov, with 3."
        );
    }
}
