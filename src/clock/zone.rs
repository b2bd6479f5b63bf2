//! Time zones, and moments as the clocks of one show them.

use chrono::{DateTime, NaiveTime, Offset, TimeDelta};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::Timestamp;

/// The zones that are offered are those of these regions, and UTC. The others are former names, and
/// offsets whose sign is the opposite of what people expect ("Etc/GMT+5").
const REGIONS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Finds the zone with that name, such as `Europe/Lisbon`; its case counts.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Returns the zones that are offered, with the region and the city of each: `Europe` and
    /// `Lisbon`. UTC has no region.
    pub fn offered() -> impl Iterator<Item = (Self, &'static str, &'static str)> {
        let zones = TZ_VARIANTS.iter().filter_map(|zone| {
            let (region, city) = zone.name().split_once('/')?;
            REGIONS
                .contains(&region)
                .then_some((Self(*zone), region, city))
        });
        [(Self::UTC, "", "UTC")].into_iter().chain(zones)
    }

    /// Returns the name: `Europe/Lisbon`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Returns whether this is universal time, by any of its names.
    #[must_use]
    pub fn is_utc(self) -> bool {
        matches!(
            self.0,
            Tz::UTC
                | Tz::UCT
                | Tz::Universal
                | Tz::Zulu
                | Tz::Etc__UTC
                | Tz::Etc__UCT
                | Tz::Etc__Universal
                | Tz::Etc__Zulu
        )
    }

    /// Returns the moment as clocks in the zone show it.
    #[must_use]
    pub fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.with_timezone(&self.0)
    }

    /// Returns the first moment of the day that it is in the zone. A day whose midnight is left out by a
    /// change of the clocks begins an hour later.
    #[must_use]
    pub fn day_start(self, at: Timestamp) -> Timestamp {
        let day = self.local(at).date_naive();
        let midnight = day.and_time(NaiveTime::MIN);
        let starts = [0, 60].map(|minutes| {
            let start = midnight.checked_add_signed(TimeDelta::minutes(minutes))?;
            start.and_local_timezone(self.0).earliest()
        });
        let start = starts.into_iter().flatten().next();
        start.map_or(at, |start| start.to_utc().into())
    }

    /// Returns the moment to the minute, with the zone: "23 November 2026, 09:12 CET".
    #[must_use]
    pub fn exact(self, at: Timestamp) -> String {
        let local = self.local(at);
        format!(
            "{} {}",
            local.format("%-d %B %Y, %H:%M"),
            abbreviation(&local)
        )
    }

    /// Returns the time of day with the zone: "09:12 CET".
    #[must_use]
    pub fn time_of_day(self, at: Timestamp) -> String {
        let local = self.local(at);
        format!("{} {}", local.format("%H:%M"), abbreviation(&local))
    }
}

/// Returns the zone's abbreviation at a moment: "CET"; where the zone has none, the difference from
/// UTC: "UTC+5:30".
fn abbreviation(local: &DateTime<Tz>) -> String {
    let named = local.format("%Z").to_string();
    if named.starts_with(|c: char| c.is_ascii_alphabetic()) && named != "LMT" {
        return named;
    }
    let seconds = local.offset().fix().local_minus_utc();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".into(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let at = DateTime::parse_from_rfc3339(text).expect("a time");
        at.to_utc().into()
    }

    fn exact(zone: &str, text: &str) -> String {
        TimeZone::find(zone).expect("a zone").exact(at(text))
    }

    #[test]
    fn moments_are_shown_by_the_clocks_of_the_zone() {
        let noon = "2026-11-23T12:00:00Z";
        for (zone, shown) in [
            ("UTC", "23 November 2026, 12:00 UTC"),
            ("Europe/Paris", "23 November 2026, 13:00 CET"),
            ("America/New_York", "23 November 2026, 07:00 EST"),
            ("Asia/Calcutta", "23 November 2026, 17:30 IST"),
            ("Asia/Kathmandu", "23 November 2026, 17:45 UTC+5:45"),
            ("Pacific/Auckland", "24 November 2026, 01:00 NZDT"),
            ("Pacific/Kiritimati", "24 November 2026, 02:00 UTC+14"),
            ("Pacific/Marquesas", "23 November 2026, 02:30 UTC-9:30"),
            ("Europe/Istanbul", "23 November 2026, 15:00 UTC+3"),
            (
                "America/Argentina/Buenos_Aires",
                "23 November 2026, 09:00 UTC-3",
            ),
        ] {
            assert_eq!(exact(zone, noon), shown, "{zone}");
        }
    }

    #[test]
    fn a_day_begins_at_the_midnight_of_the_zone() {
        for (zone, moment, start) in [
            ("UTC", "2026-11-23T12:00:00Z", "2026-11-23T00:00:00Z"),
            (
                "Pacific/Auckland",
                "2026-11-23T12:00:00Z",
                "2026-11-23T11:00:00Z",
            ),
            (
                "Asia/Kathmandu",
                "2026-11-23T12:00:00Z",
                "2026-11-22T18:15:00Z",
            ),
            // The clocks went forward from midnight to one o'clock.
            (
                "Asia/Beirut",
                "2026-03-29T12:00:00Z",
                "2026-03-28T22:00:00Z",
            ),
            // Midnight came twice.
            (
                "America/Havana",
                "2026-11-01T12:00:00Z",
                "2026-11-01T04:00:00Z",
            ),
        ] {
            let zone = TimeZone::find(zone).expect("a zone");
            assert_eq!(zone.day_start(at(moment)), at(start), "{}", zone.name());
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_apart() {
        let lisbon = "Europe/Lisbon";
        assert_eq!(
            exact(lisbon, "2026-10-25T00:30:00Z"),
            "25 October 2026, 01:30 WEST"
        );
        assert_eq!(
            exact(lisbon, "2026-10-25T01:30:00Z"),
            "25 October 2026, 01:30 WET"
        );
        assert_eq!(
            exact(lisbon, "2026-03-29T00:59:00Z"),
            "29 March 2026, 00:59 WET"
        );
        assert_eq!(
            exact(lisbon, "2026-03-29T01:00:00Z"),
            "29 March 2026, 02:00 WEST"
        );
    }

    #[test]
    fn every_moment_has_a_form_in_every_zone() {
        for micros in [i64::MIN, 0, i64::MAX] {
            for (zone, _, _) in TimeZone::offered() {
                let at = Timestamp::clamped(micros);
                let shown = zone.exact(at);
                assert!(zone.day_start(at) <= at);
                assert!(shown.is_ascii() && shown.len() < 40, "{shown}");
            }
        }
    }

    #[test]
    fn only_names_of_zones_are_zones() {
        let long = "Europe/Lisbon".repeat(1000);
        for name in [
            "",
            "Europe",
            "europe/lisbon",
            " UTC",
            "+01:00",
            "a\"><b>",
            &long,
        ] {
            assert_eq!(TimeZone::find(name), None, "{name}");
        }
        for (zone, region, city) in TimeZone::offered() {
            assert_eq!(TimeZone::find(zone.name()), Some(zone));
            assert!(zone.name().ends_with(city) && zone.name().starts_with(region));
        }
        assert!((300..700).contains(&TimeZone::offered().count()));
    }
}
