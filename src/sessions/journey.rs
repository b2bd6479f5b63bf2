//! Journeys that nobody makes: two places faster than an airliner flies between them. Both can't be
//! the same person's device, unless one address is not where it seems: a VPN, a mobile network.

use std::fmt;
use std::time::Duration;

use super::last_use::LastUse;
use super::{Session, Sessions, store};
use crate::db::{AnyConnection, Timestamp};
use crate::devices::{Location, Place};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};

/// Kilometres an hour.
const FASTEST: f64 = 1_000.0;
/// Kilometres. Addresses are not placed more exactly than this.
const NEAREST: f64 = 100.0;
/// Kilometres that a country's middle may be away from where in it somebody is.
const COUNTRY_RADIUS: f64 = 1_500.0;
/// A session's journeys are told once in this time: a stolen cookie would make one at each request.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// A place and when somebody was there.
pub(super) struct Stop {
    place: Place,
    at: Timestamp,
}

/// A way that can't be made in its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journey {
    km: f64,
    took: Duration,
}

/// Where a session was used last.
pub(super) fn from(session: &Session) -> Stop {
    Stop {
        place: session.place(),
        at: session.last_used_at,
    }
}

impl Stop {
    /// The journey from here to there, if nobody can have made it.
    pub(super) fn to(&self, location: &Location, now: Timestamp) -> Option<Journey> {
        let there = &location.place;
        let (from, to) = self.place.point.zip(there.point)?;
        let is_exact = self.place.city.is_some() && there.city.is_some();
        if !is_exact && self.place.country == there.country {
            return None;
        }
        let unsure = |place: &Place| match place.city {
            Some(_) => 0.0,
            None => COUNTRY_RADIUS,
        };
        let km = from.distance_km(to) - unsure(&self.place) - unsure(there);
        let took = now.since(self.at);
        let is_impossible = km > NEAREST && km > FASTEST * took.as_secs_f64() / 3_600.0;
        is_impossible.then_some(Journey { km, took })
    }
}

/// "16,747 km in 2 hours"
impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.took.as_secs() / 60;
        let km = self.km.round();
        match (minutes / 60, minutes % 60) {
            (0, 0) => write!(f, "{km:.0} km in less than a minute"),
            (0, minutes) => write!(f, "{km:.0} km in {minutes} min"),
            (hours, minutes) => write!(f, "{km:.0} km in {hours} h {minutes} min"),
        }
    }
}

/// Records that `session` made `journey`, unless it made one a moment ago.
pub(super) fn record(
    c: &mut AnyConnection,
    session: &Session,
    journey: Journey,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    const KIND: EventKind = EventKind::ImpossibleTravel;

    let (owner, id) = (session.user_id, session.id);
    if events::has_happened(c, (owner, id), KIND, now - PAUSE)? {
        return Ok(());
    }
    let event = NewEvent::of_session(owner, id, KIND, origin, now).with_detail(journey.to_string());
    events::record(c, &[event])
}

impl Sessions {
    /// Whether a journey of the session was told a moment ago: another one costs no write.
    pub(super) async fn was_told_of_journey(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<bool> {
        let session = (session.user_id, session.id);
        self.db
            .read(move |c| {
                events::has_happened(c, session, EventKind::ImpossibleTravel, now - PAUSE)
            })
            .await
    }

    /// Writes at once where a session is used now, with the journey that it made there.
    pub(super) async fn note_journey(
        &self,
        session: &Session,
        journey: Journey,
        location: &Location,
        now: Timestamp,
    ) -> Result<()> {
        let (session, location) = (session.clone(), location.clone());
        let origin = Origin {
            user: Some(session.user_id),
            session: Some(session.id),
            ip: location.ip.clone(),
        };
        self.db
            .transaction(move |c| {
                record(c, &session, journey, &origin, now)?;
                let used = LastUse {
                    user_id: session.user_id,
                    session_id: session.id,
                    at: now,
                    location,
                };
                store::touch(c, &used).map(drop)
            })
            .await
    }
}
