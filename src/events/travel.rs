//! Impossible travel as events have it, in words: where a session was used, and where it or another one was
//! before.

use crate::text::quantity;

/// Impossible travel as its record has it, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTravel {
    /// Where the use before was: "Lyon, France".
    pub from: String,
    /// The device of that use, if it was another one.
    pub device: Option<String>,
    /// Where the session was used then.
    pub to: String,
    /// The distance: "16,747 km".
    pub distance: String,
    /// The minutes between.
    pub minutes: u64,
}

impl RecordedTravel {
    /// Parses the detail of an event of impossible travel, such as "from Lyon, France to Sydney, Australia,
    /// 16,747 km in 2 h 5 min". A name of a device or a place may have any of its
    /// separators in it, so it is read from the end.
    #[must_use]
    pub fn parse(detail: &str) -> Option<Self> {
        let (places, took) = detail.strip_prefix("from ")?.rsplit_once(" km in ")?;
        // The number of kilometres has commas as well.
        let (places, km) = places.rsplit_once(", ")?;
        let (from, to) = places.rsplit_once(" to ")?;
        let (from, device) = match split_device(from) {
            Some((from, device)) => (from, Some(device.to_owned())),
            None => (from, None),
        };
        Some(Self {
            from: from.to_owned(),
            device,
            to: to.to_owned(),
            distance: format!("{km} km"),
            minutes: parse_minutes(took)?,
        })
    }

    /// Returns it in words that begin in the middle of a sentence: "used in Lyon, France, and 29 minutes later
    /// in Sydney, Australia, 16,747 km away".
    #[must_use]
    pub fn words(&self) -> String {
        let place = |name: &str| match name {
            "" => "another place".to_owned(),
            name => name.to_owned(),
        };
        let (from, to, km) = (place(&self.from), place(&self.to), &self.distance);
        let between = between(self.minutes);
        match &self.device {
            Some(device) => {
                format!("used in {to}, {between} after {device} was used in {from}, {km} away")
            }
            None => format!("used in {from}, and {between} later in {to}, {km} away"),
        }
    }
}

/// Splits "Lyon, France (Old (first) laptop)" into the place and the device, whose name may have brackets.
fn split_device(from: &str) -> Option<(&str, &str)> {
    let inner = from.strip_suffix(')')?;
    let mut depth = 1;
    let begin = inner.char_indices().rev().find_map(|(at, c)| {
        depth += match c {
            ')' => 1,
            '(' => -1,
            _ => 0,
        };
        (depth == 0).then_some(at)
    })?;
    let (place, device) = (inner.get(..begin)?, inner.get(begin + 1..)?);
    Some((place.strip_suffix(' ')?, device))
}

/// Parses "2 h 5 min", "29 min" or "less than a minute".
fn parse_minutes(took: &str) -> Option<u64> {
    if took == "less than a minute" {
        return Some(0);
    }
    let took = took.strip_suffix(" min")?;
    match took.split_once(" h ") {
        Some((hours, minutes)) => {
            let hours: u64 = hours.parse().ok()?;
            hours.checked_mul(60)?.checked_add(minutes.parse().ok()?)
        }
        None => took.parse().ok(),
    }
}

fn between(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".into(),
        (0, minutes) => quantity(minutes, "minute"),
        (hours, 0) => quantity(hours, "hour"),
        (hours, minutes) => {
            format!(
                "{} {}",
                quantity(hours, "hour"),
                quantity(minutes, "minute")
            )
        }
    }
}
