//! The times that filters compare with, and that others state.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::clock::{MAX_SPAN, Timestamp};
use crate::error::{FieldError, Result};

/// A time that a filter compares with: a fixed one, or a span before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// That time.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl TimeBound {
    /// Returns the time, seen from `now`.
    #[must_use]
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now - span,
        }
    }

    /// Returns the error of the field with the end of a range that is over before it begins. Of a
    /// time and a span before now that depends on when it is asked.
    pub(crate) fn check_range(
        field: &str,
        range: (Option<Self>, Option<Self>),
    ) -> Option<FieldError> {
        let is_reversed = match range {
            (Some(Self::At(from)), Some(Self::At(to))) => from >= to,
            (Some(Self::Ago(from)), Some(Self::Ago(to))) => from <= to,
            _ => false,
        };
        let message = "must be after the beginning of the range";
        is_reversed.then(|| FieldError::new(field, message))
    }
}

impl FromStr for TimeBound {
    type Err = String;

    /// Parses a span (`90d`: so long ago), a day (`2026-11-01`, which is its first moment in UTC) or
    /// a time of RFC 3339.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(at) = parse_time(text) {
            return Ok(Self::At(at));
        }
        match humantime::parse_duration(text) {
            Ok(span) if span <= MAX_SPAN => Ok(Self::Ago(span)),
            _ => Err("must be a day (2026-11-01), a time of RFC 3339 or a span (90d)".into()),
        }
    }
}

/// Parses a day (`2026-11-01`, which is its first moment in UTC) or a time of RFC 3339.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_time(NaiveTime::MIN).and_utc().into());
    }
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.to_utc().into())
}

impl fmt::Display for TimeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) if at.time() == NaiveTime::MIN => at.format("%Y-%m-%d").fmt(f),
            Self::At(at) => at.to_rfc3339().fmt(f),
            Self::Ago(span) => f.write_str(&span_text(*span)),
        }
    }
}

/// Formats a span as one word, in the largest unit that it is a whole number of: "90d".
fn span_text(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

    let seconds = span.as_secs();
    let is_whole =
        |unit: u64| span.subsec_nanos() == 0 && seconds >= unit && seconds.is_multiple_of(unit);
    match UNITS.into_iter().find(|(unit, _)| is_whole(*unit)) {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => humantime::format_duration(span)
            .to_string()
            .replace(' ', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_one_word_in_its_largest_unit() {
        for (text, shown) in [
            ("90d", "90d"),
            ("24h", "1d"),
            ("1h 30m", "90m"),
            ("90s", "90s"),
            ("0s", "0s"),
            ("1500ms", "1s500ms"),
        ] {
            let span: TimeBound = text.parse().unwrap();
            assert_eq!(span.to_string(), shown);
            assert_eq!(shown.parse(), Ok(span));
        }
    }
}
