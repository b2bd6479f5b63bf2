//! Time zones, and moments as the clocks of one show them.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveTime, Offset, TimeDelta};
use chrono_tz::Tz;

use super::Timestamp;

/// The zones that are offered, and the aliases of them. Names that stand for nothing but an offset, whose
/// sign is the opposite of what people expect ("Etc/GMT+5"), are neither.
static ZONES: LazyLock<Zones> = LazyLock::new(|| Zones::parse(include_str!("zones.txt")));

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

/// A zone that can be chosen.
#[derive(Debug)]
pub struct OfferedZone {
    /// The zone.
    pub zone: TimeZone,
    /// The part of the world: "Europe".
    pub region: &'static str,
    /// The place that names it: "São Paulo".
    pub place: String,
}

/// The list of zones.
struct Zones {
    /// By region.
    offered: Vec<OfferedZone>,
    /// The zones of the list that others stand for.
    aliases: HashMap<Tz, Tz>,
}

impl Zones {
    /// Reads the list. A line that names no zone is left out.
    fn parse(text: &'static str) -> Self {
        let (offered, aliases) = text.split_once("\n>\n").unwrap_or((text, ""));
        let aliases = aliases.lines().filter_map(|line| {
            let (alias, zone) = line.split_once('\t')?;
            Some((alias.parse().ok()?, zone.parse().ok()?))
        });
        Self {
            offered: offered.lines().filter_map(OfferedZone::parse).collect(),
            aliases: aliases.collect(),
        }
    }
}

impl OfferedZone {
    fn parse(line: &'static str) -> Option<Self> {
        let (name, place) = line.split_once('\t').unwrap_or((line, ""));
        let zone = TimeZone::find(name)?;
        let (region, city) = name.split_once('/')?;
        // "Argentina/Buenos_Aires" is Buenos Aires, Argentina.
        let parts: Vec<&str> = city.rsplit('/').collect();
        let city = parts.join(", ").replace('_', " ");
        let region = match region {
            "Arctic" => "Arctic Ocean",
            "Atlantic" => "Atlantic Ocean",
            "Indian" => "Indian Ocean",
            "Pacific" => "Pacific Ocean",
            _ => region,
        };
        Some(Self {
            zone,
            region,
            place: if place.is_empty() { city } else { place.into() },
        })
    }
}

impl TimeZone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Finds the zone with that name, such as `Europe/Lisbon`; its case counts.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Returns the zones that are offered besides UTC, by region. None is an alias of another.
    pub fn offered() -> impl Iterator<Item = &'static OfferedZone> {
        ZONES.offered.iter()
    }

    /// Returns the zone that this one is an alias of: `Asia/Kolkata` for `Asia/Calcutta`; otherwise itself.
    #[must_use]
    pub fn canonical(self) -> Self {
        match ZONES.aliases.get(&self.0) {
            _ if self.is_utc() => Self::UTC,
            Some(zone) => Self(*zone),
            None => self,
        }
    }

    /// Returns the zone in words, with its difference from UTC at a moment: "New York (UTC−5)"; one that
    /// no place names is the difference alone.
    #[must_use]
    pub fn describe(self, at: Timestamp) -> String {
        let zone = self.canonical();
        let offset = zone.offset(at);
        match zone.place() {
            Some(place) => format!("{place} ({offset})"),
            None => offset,
        }
    }

    /// Returns the place that names the zone, or the zone that it is an alias of.
    #[must_use]
    pub fn place(self) -> Option<&'static str> {
        let zone = self.canonical();
        let found = Self::offered().find(|offered| offered.zone == zone)?;
        Some(&found.place)
    }

    /// Returns the difference from UTC at a moment: "UTC+5:30".
    #[must_use]
    pub fn offset(self, at: Timestamp) -> String {
        offset(&self.local(at))
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
    offset(local)
}

/// Returns the difference from UTC: "UTC+5:30".
fn offset(local: &DateTime<Tz>) -> String {
    let seconds = local.offset().fix().local_minus_utc();
    let sign = if seconds < 0 { '−' } else { '+' };
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
            ("Pacific/Marquesas", "23 November 2026, 02:30 UTC−9:30"),
            ("Europe/Istanbul", "23 November 2026, 15:00 UTC+3"),
            (
                "America/Argentina/Buenos_Aires",
                "23 November 2026, 09:00 UTC−3",
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
            for offered in TimeZone::offered() {
                let at = Timestamp::clamped(micros);
                let shown = offered.zone.exact(at);
                assert!(offered.zone.day_start(at) <= at);
                assert!(shown.len() < 40, "{shown}");
            }
        }
    }

    #[test]
    fn every_name_of_the_database_is_offered_or_stands_for_one_that_is() {
        let is_offered = |zone: TimeZone| TimeZone::offered().any(|it| it.zone == zone);
        for zone in chrono_tz::TZ_VARIANTS.map(TimeZone) {
            let name = zone.name();
            let is_offset = zone.is_utc()
                || name.starts_with("Etc/")
                || name.starts_with("GMT")
                || name == "Greenwich";
            assert_eq!(is_offered(zone.canonical()), !is_offset, "{name}");
            let is_alias = ZONES.aliases.contains_key(&zone.0);
            assert!(!(is_alias && is_offered(zone)), "{name} is both");
        }
        assert_eq!(TimeZone::offered().count(), 418);
        assert_eq!(ZONES.aliases.len(), 135);
    }

    #[test]
    fn a_zone_is_named_by_its_place_and_its_offset() {
        for (zone, words) in [
            ("America/New_York", "New York (UTC−5)"),
            ("US/Eastern", "New York (UTC−5)"),
            ("Asia/Calcutta", "Kolkata (UTC+5:30)"),
            (
                "America/Argentina/Buenos_Aires",
                "Buenos Aires, Argentina (UTC−3)",
            ),
            ("America/Indiana/Knox", "Knox, Indiana (UTC−6)"),
            ("America/Sao_Paulo", "São Paulo (UTC−3)"),
            ("Europe/London", "London (UTC)"),
            ("Etc/GMT+12", "UTC−12"),
            ("Etc/GMT", "UTC"),
            ("GMT", "UTC"),
            ("Zulu", "UTC"),
            ("UTC", "UTC"),
        ] {
            let zone = TimeZone::find(zone).expect("a zone");
            let shown = zone.describe(at("2026-11-23T12:00:00Z"));
            assert_eq!(shown, words, "{}", zone.name());
        }
        let new_york = TimeZone::find("America/New_York").expect("a zone");
        assert_eq!(new_york.offset(at("2026-06-23T12:00:00Z")), "UTC−4");
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
        for offered in TimeZone::offered() {
            assert_eq!(TimeZone::find(offered.zone.name()), Some(offered.zone));
            assert!(!offered.place.is_empty() && !offered.place.contains('_'));
        }
    }
}
