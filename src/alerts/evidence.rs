//! The evidence of an alert about a sign-in: where the person was before, and how far that is away.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::geo::Place;
use crate::text::{quantity, thousands};

/// Distances below this, in kilometres, say nothing about a sign-in.
const MIN_KM: i32 = 100;
/// The longest time between two uses that says something about a sign-in.
const MAX_AGE: Duration = Duration::from_secs(30 * DAY);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The use before a sign-in: the person's last one in a session that was trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct UseBefore {
    /// The session of that use.
    pub session: SessionId,
    /// The name of its device.
    pub device: String,
    /// Whether its owner named it; else the name is its label.
    pub is_named: bool,
    /// The place.
    pub place: Place,
    /// When it was.
    pub at: Timestamp,
    /// The distance in kilometres: the least that it can be, where a city is not known.
    pub km: i32,
    /// Whether nobody travels that fast.
    pub is_impossible: bool,
}

/// A use before in words, around the name of its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseBeforeWords {
    /// What comes before the name: "25 minutes earlier your ".
    pub start: String,
    /// The name: "Chrome on macOS".
    pub device: String,
    /// What comes after it: " was used in Lisbon, 2,738 km away: nobody travels that fast."
    pub end: String,
}

/// A use before, as exports and the API show it.
#[derive(Debug, Clone, Serialize)]
pub struct UseBeforeRecord {
    session_id: SessionId,
    device_name: String,
    location_city: Option<String>,
    location_country: Option<String>,
    at: Timestamp,
    /// In kilometres; the least that it can be, where a city is not known.
    distance_km: i32,
    is_impossible_travel: bool,
}

impl From<UseBefore> for UseBeforeRecord {
    fn from(before: UseBefore) -> Self {
        Self {
            session_id: before.session,
            device_name: before.device,
            location_city: before.place.city,
            location_country: before.place.country,
            at: before.at,
            distance_km: before.km,
            is_impossible_travel: before.is_impossible,
        }
    }
}

impl UseBefore {
    /// Returns whether it says something about a sign-in at `at`: whether it was far away, and not
    /// long before.
    #[must_use]
    pub fn is_telling(&self, at: Timestamp) -> bool {
        self.is_impossible || (self.km >= MIN_KM && at.since(self.at) <= MAX_AGE)
    }

    /// Returns it in words, as before something at `at` that happened at `there`.
    #[must_use]
    pub fn words(&self, at: Timestamp, there: &Place) -> UseBeforeWords {
        let (your, km) = (self.your(), self.distance(there));
        let end = match self.is_impossible {
            true => ": nobody travels that fast.",
            false => ".",
        };
        let place = self.place.short_name().unwrap_or("another place");
        UseBeforeWords {
            start: format!("{} earlier {your}", span(at.since(self.at))),
            device: self.device.clone(),
            end: format!(" was used in {place}, {km}{end}"),
        }
    }

    /// Returns it in words, as one of two uses of the same sign-in: the other was later, at `at`, and
    /// happened at `there`. Either may be the one of a copy.
    #[must_use]
    pub fn words_of_either(&self, at: Timestamp, there: &Place) -> UseBeforeWords {
        let (your, km) = (self.your(), self.distance(there));
        let earlier = span(at.since(self.at)).to_lowercase();
        let place = self.place.short_name().unwrap_or("another place");
        UseBeforeWords {
            start: format!("The same sign-in of {your}"),
            device: self.device.clone(),
            end: format!(" was used in {place} {earlier} earlier, {km}; one of the two is a copy."),
        }
    }

    /// Returns how far apart two uses of the same sign-in were, in words, where both places are said besides.
    #[must_use]
    pub fn words_of_both(&self, at: Timestamp, there: &Place) -> String {
        let (km, between) = (self.km(there), span(at.since(self.at)).to_lowercase());
        format!("{km} apart, {between} between them; one of the two is a copy.")
    }

    fn your(&self) -> &'static str {
        match self.is_named {
            true => "",
            false => "your ",
        }
    }

    fn distance(&self, there: &Place) -> String {
        format!("{} away", self.km(there))
    }

    fn km(&self, there: &Place) -> String {
        let km = thousands(self.km.unsigned_abs().into());
        match self.place.city.is_some() && there.city.is_some() {
            true => format!("{km} km"),
            false => format!("at least {km} km"),
        }
    }
}

impl UseBeforeWords {
    /// Returns the sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut words = [self.start.as_str(), &self.device, &self.end].concat();
        if let Some(first) = words.get(..1).map(str::to_uppercase) {
            words.replace_range(..1, &first);
        }
        words
    }
}

/// Returns a span in words: "25 minutes".
fn span(span: Duration) -> String {
    let (n, unit) = match span.as_secs() {
        0..MINUTE => return "Less than a minute".into(),
        seconds @ MINUTE..HOUR => (seconds / MINUTE, "minute"),
        seconds @ HOUR..DAY => (seconds / HOUR, "hour"),
        seconds => (seconds / DAY, "day"),
    };
    quantity(n, unit)
}
