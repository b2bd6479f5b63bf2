//! The wording of times, by the clock of the reader. The script words the relative ones anew while a
//! page is open, and says the same.

use chrono::Datelike;

use crate::clock::Timestamp;
use crate::http::reader_clock::ReaderClock;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A moment in words, exactly, and in machine-readable form.
#[derive(Debug, Clone)]
pub struct TimeView {
    /// The RFC 3339 form in UTC, for `<time datetime>`.
    pub iso: String,
    /// The moment to the minute: "23 November 2026, 09:12 CET".
    pub exact: String,
    /// The moment in words: "12 minutes ago", "today 14:15", "Saturday".
    pub words: String,
    /// What stands before the words within a sentence: "on " before "Saturday".
    pub preposition: &'static str,
}

impl TimeView {
    /// Returns a past moment in words: within an hour how long ago it was, within a week the day
    /// ("today 14:15", "yesterday 09:00", "Saturday"), and then the date.
    pub fn ago(at: Timestamp, clock: ReaderClock) -> Self {
        match clock.now.since(at).as_secs() {
            0..MINUTE => Self::exact(at, clock).in_words("", "just now".into()),
            seconds @ MINUTE..HOUR => {
                Self::exact(at, clock).in_words("", minutes_ago(seconds / MINUTE))
            }
            _ => Self::moment(at, clock),
        }
    }

    /// Returns a moment to come in words: with the time if it is today or tomorrow, else the date.
    pub fn ahead(at: Timestamp, clock: ReaderClock) -> Self {
        Self::moment(at, clock)
    }

    /// Returns a moment with its date as words: "22 August", and of another year "22 August 2025".
    pub fn day(at: Timestamp, clock: ReaderClock) -> Self {
        Self::exact(at, clock).in_words("on ", date(at, clock))
    }

    /// Returns a moment with the exact form as words.
    pub fn exact(at: Timestamp, clock: ReaderClock) -> Self {
        let exact = clock.zone.exact(at);
        Self {
            iso: at.to_rfc3339(),
            words: exact.clone(),
            exact,
            preposition: "on ",
        }
    }

    /// Returns the words as they stand within a sentence: "today 14:15", "on 22 August".
    pub fn in_sentence(&self) -> String {
        format!("{}{}", self.preposition, self.words)
    }

    fn moment(at: Timestamp, clock: ReaderClock) -> Self {
        let view = Self::exact(at, clock);
        let local = clock.zone.local(at);
        let today = clock.zone.local(clock.now).date_naive();
        let days_ago = today.signed_duration_since(local.date_naive()).num_days();
        let time = local.format("%H:%M");
        match days_ago {
            0 => view.in_words("", format!("today {time}")),
            1 => view.in_words("", format!("yesterday {time}")),
            -1 => view.in_words("", format!("tomorrow {time}")),
            2..=6 => view.in_words("on ", local.format("%A").to_string()),
            _ => view.in_words("on ", date(at, clock)),
        }
    }

    fn in_words(self, preposition: &'static str, words: String) -> Self {
        Self {
            words,
            preposition,
            ..self
        }
    }
}

/// Returns the date, with the year if it is not the current one.
fn date(at: Timestamp, clock: ReaderClock) -> String {
    let local = clock.zone.local(at);
    match local.year() == clock.zone.local(clock.now).year() {
        true => local.format("%-d %B").to_string(),
        false => local.format("%-d %B %Y").to_string(),
    }
}

fn minutes_ago(minutes: u64) -> String {
    match minutes {
        1 => "1 minute ago".into(),
        n => format!("{n} minutes ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TimeZone;
    use crate::http::reader_clock::ZoneSource;

    fn at(text: &str) -> Timestamp {
        let at = chrono::DateTime::parse_from_rfc3339(text).expect("a time");
        at.to_utc().into()
    }

    fn clock(zone: &str, now: &str) -> ReaderClock {
        ReaderClock {
            now: at(now),
            zone: TimeZone::find(zone).expect("a zone"),
            source: ZoneSource::Browser,
        }
    }

    #[test]
    fn past_moments_are_worded_by_the_readers_day() {
        // A Monday, in the afternoon.
        let lisbon = clock("Europe/Lisbon", "2026-11-23T14:30:00Z");
        for (moment, words, in_sentence) in [
            ("2026-11-23T15:00:00Z", "just now", "just now"),
            ("2026-11-23T14:29:01Z", "just now", "just now"),
            ("2026-11-23T14:29:00Z", "1 minute ago", "1 minute ago"),
            ("2026-11-23T13:30:01Z", "59 minutes ago", "59 minutes ago"),
            ("2026-11-23T13:30:00Z", "today 13:30", "today 13:30"),
            ("2026-11-23T00:00:00Z", "today 00:00", "today 00:00"),
            ("2026-11-22T23:59:59Z", "yesterday 23:59", "yesterday 23:59"),
            ("2026-11-21T12:00:00Z", "Saturday", "on Saturday"),
            ("2026-11-17T00:00:00Z", "Tuesday", "on Tuesday"),
            ("2026-11-16T23:59:59Z", "16 November", "on 16 November"),
            ("2026-01-01T00:00:00Z", "1 January", "on 1 January"),
            (
                "2025-12-31T23:59:59Z",
                "31 December 2025",
                "on 31 December 2025",
            ),
        ] {
            let view = TimeView::ago(at(moment), lisbon);
            assert_eq!(view.words, words, "{moment}");
            assert_eq!(view.in_sentence(), in_sentence, "{moment}");
        }
    }

    #[test]
    fn under_an_hour_no_day_is_named() {
        let midnight = clock("UTC", "2026-11-23T00:10:00Z");
        assert_eq!(
            TimeView::ago(at("2026-11-22T23:50:00Z"), midnight).words,
            "20 minutes ago"
        );
    }

    #[test]
    fn the_day_turns_at_the_readers_midnight() {
        let moment = at("2026-11-22T11:30:00Z");
        let now = "2026-11-22T20:00:00Z";
        for (zone, words) in [
            ("UTC", "today 11:30"),
            ("Pacific/Auckland", "today 00:30"),
            ("Asia/Kathmandu", "yesterday 17:15"),
            ("Pacific/Pago_Pago", "today 00:30"),
        ] {
            assert_eq!(
                TimeView::ago(moment, clock(zone, now)).words,
                words,
                "{zone}"
            );
        }
        let kolkata = clock("Asia/Kolkata", "2026-11-22T18:29:00Z");
        assert_eq!(
            TimeView::ago(at("2026-11-21T18:30:00Z"), kolkata).words,
            "today 00:00"
        );
        assert_eq!(
            TimeView::ago(at("2026-11-21T18:29:59Z"), kolkata).words,
            "yesterday 23:59"
        );
    }

    #[test]
    fn a_day_of_another_length_is_a_day() {
        // The clocks went back at 01:00 UTC on 25 October and forward on 29 March.
        let autumn = clock("Europe/Paris", "2026-10-25T22:30:00Z");
        assert_eq!(
            TimeView::ago(at("2026-10-24T22:00:00Z"), autumn).words,
            "today 00:00"
        );
        assert_eq!(
            TimeView::ago(at("2026-10-24T21:59:59Z"), autumn).words,
            "yesterday 23:59"
        );
        let spring = clock("Europe/Paris", "2026-03-29T21:59:00Z");
        assert_eq!(
            TimeView::ago(at("2026-03-28T23:00:00Z"), spring).words,
            "today 00:00"
        );
        assert_eq!(
            TimeView::ago(at("2026-03-29T01:00:00Z"), spring).words,
            "today 03:00"
        );
    }

    #[test]
    fn the_hour_is_said_of_what_ends_today_or_tomorrow() {
        let lisbon = clock("Europe/Lisbon", "2026-11-23T14:30:00Z");
        for (moment, words) in [
            ("2026-11-23T18:00:00Z", "today 18:00"),
            ("2026-11-24T09:00:00Z", "tomorrow 09:00"),
            ("2026-11-24T23:59:59Z", "tomorrow 23:59"),
            ("2026-11-25T00:00:00Z", "on 25 November"),
            ("2027-10-14T00:00:00Z", "on 14 October 2027"),
            ("2026-11-23T14:00:00Z", "today 14:00"),
            ("2026-11-22T14:00:00Z", "yesterday 14:00"),
        ] {
            let view = TimeView::ahead(at(moment), lisbon);
            assert_eq!(view.in_sentence(), words, "{moment}");
        }
    }

    #[test]
    fn the_machine_readable_form_stays_in_utc() {
        let auckland = clock("Pacific/Auckland", "2026-11-23T14:30:00Z");
        let view = TimeView::exact(at("2026-11-23T12:00:00Z"), auckland);
        assert_eq!(view.iso, "2026-11-23T12:00:00.000000Z");
        assert_eq!(view.exact, "24 November 2026, 01:00 NZDT");
        assert_eq!(view.in_sentence(), "on 24 November 2026, 01:00 NZDT");
    }

    #[test]
    fn every_moment_has_words() {
        for micros in [i64::MIN, i64::MAX] {
            for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                let zone = TimeZone::find(zone).expect("a zone");
                let (now, source) = (Timestamp::clamped(0), ZoneSource::Setting);
                let clock = ReaderClock { now, zone, source };
                let moment = Timestamp::clamped(micros);
                assert!(!TimeView::ago(moment, clock).words.is_empty());
                assert!(!TimeView::ahead(now, clock.at(moment)).words.is_empty());
            }
        }
    }
}
