//! Impossible travel: two uses in places farther apart than an airliner flies in the time between.
//! They can't both be by the same person, unless an address is not where it appears to be, as with
//! a VPN or a mobile network.

use std::fmt;
use std::time::Duration;

use super::store::{self, Session};
use crate::alerts::UseBefore;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
pub use crate::events::RecordedTravel;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::geo::{Location, Place};
use crate::text::thousands;

/// The greatest possible speed of travel, in kilometres per hour.
const MAX_SPEED_KMH: f64 = 1_000.0;
/// Distances up to this, in kilometres, are within the precision of an address's location.
const MIN_DISTANCE_KM: f64 = 100.0;
/// The assumed greatest distance, in kilometres, between a country's centre and a place in it.
const COUNTRY_RADIUS_KM: f64 = 1_500.0;
/// The least time between two records of a session's travel: a stolen cookie would otherwise cause
/// one for each request.
const RECORD_INTERVAL: Duration = Duration::from_secs(60 * 60);

const KIND: EventKind = EventKind::ImpossibleTravel;

/// A place, and when a session was used there.
pub(super) struct Waypoint {
    session: SessionId,
    device: String,
    is_named: bool,
    place: Place,
    at: Timestamp,
}

/// The ends, the distance and the duration of impossible travel.
#[derive(Debug, Clone)]
pub(super) struct ImpossibleTravel {
    from: String,
    to: String,
    km: i32,
    took: Duration,
}

impl Waypoint {
    /// Returns the place and time of a session's last use.
    pub(super) fn from_last_use(session: &Session) -> Self {
        let (device, label) = (session.display_name(), session.label());
        Self {
            session: session.id,
            is_named: device != label,
            device,
            place: session.place(),
            at: session.last_used_at,
        }
    }

    /// Returns the travel from this waypoint to `location`, if it is impossible.
    pub(super) fn travel_to(
        &self,
        location: &Location,
        now: Timestamp,
    ) -> Option<ImpossibleTravel> {
        let km = self.distance_to(&location.place)?;
        let took = now.since(self.at);
        is_impossible(km, took).then(|| ImpossibleTravel {
            from: self.place.display_name().unwrap_or_default(),
            to: location.place.display_name().unwrap_or_default(),
            km: rounded(km),
            took,
        })
    }

    /// Returns the travel as [`Waypoint::travel_to`] does, to another device than that of the
    /// waypoint, which it names.
    pub(super) fn travel_to_device(
        &self,
        location: &Location,
        now: Timestamp,
    ) -> Option<ImpossibleTravel> {
        let travel = self.travel_to(location, now)?;
        Some(ImpossibleTravel {
            from: format!("{} ({})", travel.from, self.device),
            ..travel
        })
    }

    /// Returns it as the use before a sign-in at `place`.
    pub(super) fn before(self, place: &Place, now: Timestamp) -> Option<UseBefore> {
        let km = self.distance_to(place)?;
        Some(UseBefore {
            session: self.session,
            device: self.device,
            is_named: self.is_named,
            place: self.place,
            at: self.at,
            km: rounded(km),
            is_impossible: is_impossible(km, now.since(self.at)),
        })
    }

    /// Returns the least distance to a place, in kilometres; `None` if it may be the same one.
    fn distance_to(&self, there: &Place) -> Option<f64> {
        let (from, to) = self.place.point.zip(there.point)?;
        let is_exact = self.place.city.is_some() && there.city.is_some();
        if !is_exact && self.place.country == there.country {
            return None;
        }
        let uncertainty = |place: &Place| match place.city {
            Some(_) => 0.0,
            None => COUNTRY_RADIUS_KM,
        };
        let km = from.distance_km(to) - uncertainty(&self.place) - uncertainty(there);
        Some(km.max(0.0))
    }
}

fn is_impossible(km: f64, took: Duration) -> bool {
    km > MIN_DISTANCE_KM && km > MAX_SPEED_KMH * took.as_secs_f64() / 3_600.0
}

/// Returns a distance as a whole number.
fn rounded(km: f64) -> i32 {
    format!("{km:.0}").parse().unwrap_or(i32::MAX)
}

/// Formats the travel as "from Lyon, France to Sydney, Australia, 16,747 km in 2 h 5 min".
impl fmt::Display for ImpossibleTravel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.took.as_secs() / 60;
        let km = thousands(self.km.unsigned_abs().into());
        write!(f, "from {} to {}, {km} km in ", self.from, self.to)?;
        match (minutes / 60, minutes % 60) {
            (0, 0) => write!(f, "less than a minute"),
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, minutes) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

/// Records impossible travel, in words, of a session, unless some was recorded within
/// the last hour.
pub(super) fn record(
    c: &mut AnyConnection,
    (owner, id): (UserId, SessionId),
    travel: String,
    ip: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    match was_recorded(c, (owner, id), now)? {
        true => Ok(()),
        false => record_further(c, (owner, id), travel, ip, now),
    }
}

/// Records impossible travel as [`record`] does, also where some was recorded within the last hour. The caller
/// bounds how often.
pub(super) fn record_further(
    c: &mut AnyConnection,
    (owner, id): (UserId, SessionId),
    travel: String,
    ip: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let origin = Origin {
        user: Some(owner),
        session: Some(id),
        ip: ip.map(str::to_owned),
        ..Origin::default()
    };
    store::mark_impossible_travel(c, owner, id)?;
    let event = NewEvent::for_session(owner, id, KIND, &origin, now).with_detail(travel);
    events::record_events(c, &[event])
}

/// Returns whether impossible travel of a session was recorded within the last hour.
pub(super) fn was_recorded(
    c: &mut AnyConnection,
    session: (UserId, SessionId),
    now: Timestamp,
) -> Result<bool> {
    events::has_event_since(c, session, KIND, now - RECORD_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_again() {
        for (from, device, took, minutes) in [
            ("Lyon, France", None, 29 * 60, 29),
            ("Lyon, France", Some("Chrome on macOS"), 7_500, 125),
            ("Bonn (Old Town), Germany", Some("Laptop (old) (x)"), 59, 0),
            ("From here to there", Some("to do, 5 km in 3 min"), 60, 1),
            ("Lyon, France", Some("((("), 60, 1),
            ("", Some(""), 60, 1),
        ] {
            let travel = ImpossibleTravel {
                from: match device {
                    Some(device) => format!("{from} ({device})"),
                    None => from.to_owned(),
                },
                to: "Sydney, Australia".into(),
                km: 16_747,
                took: Duration::from_secs(took),
            };
            let read = RecordedTravel::parse(&travel.to_string()).expect("a travel");
            assert_eq!(
                (&*read.to, &*read.distance),
                ("Sydney, Australia", "16,747 km")
            );
            assert_eq!(read.minutes, minutes);
            if device != Some("(((") {
                assert_eq!((&*read.from, read.device.as_deref()), (from, device));
            }
        }
        for text in ["", "from ", "from A to B", "from A to B, 5 km in x min"] {
            assert_eq!(RecordedTravel::parse(text), None, "{text}");
        }
    }
}
