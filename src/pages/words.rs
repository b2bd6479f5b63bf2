//! How pages say things: times, places and causes, as a person would.

use std::net::IpAddr;

use crate::db::Timestamp;
use crate::devices::address;
use crate::sessions::{EndedReason, OpenedVia, Session};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A moment, in words for people, exactly for the curious, and for the machine.
#[derive(Debug, Clone)]
pub struct TimeView {
    /// For `<time datetime>`: RFC 3339.
    pub iso: String,
    /// "23 November 2026, 09:12 UTC"
    pub exact: String,
    /// "2 hours ago"
    pub words: String,
}

impl TimeView {
    /// How long ago `at` was.
    pub fn ago(at: Timestamp, now: Timestamp) -> Self {
        Self {
            words: ago(at, now),
            ..Self::exact(at)
        }
    }

    /// The day on which `at` is.
    pub fn day(at: Timestamp) -> Self {
        Self {
            words: at.format("%-d %B %Y").to_string(),
            ..Self::exact(at)
        }
    }

    /// The moment exactly.
    pub fn exact(at: Timestamp) -> Self {
        let exact = at.format("%-d %B %Y, %H:%M UTC").to_string();
        Self {
            iso: at.to_rfc3339(),
            words: exact.clone(),
            exact,
        }
    }
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.since(at).as_secs() {
        0..MINUTE => "just now".into(),
        seconds @ MINUTE..HOUR => count(seconds / MINUTE, "minute"),
        seconds @ HOUR..DAY => count(seconds / HOUR, "hour"),
        DAY..172_800 => "yesterday".into(),
        seconds @ 172_800..1_209_600 => count(seconds / DAY, "day"),
        seconds @ 1_209_600..7_776_000 => count(seconds / WEEK, "week"),
        _ => at.format("on %-d %B %Y").to_string(),
    }
}

fn count(n: u64, unit: &str) -> String {
    match n {
        1 => format!("1 {unit} ago"),
        n => format!("{n} {unit}s ago"),
    }
}

/// "4 devices", "1 device".
pub fn devices(n: usize) -> String {
    match n {
        1 => "1 device".into(),
        n => format!("{n} devices"),
    }
}

/// Where a session was last used, in a few words: its place, else what its address says.
pub fn place(session: &Session) -> Option<String> {
    match (&session.location_city, &session.location_country) {
        (Some(city), Some(country)) => Some(format!("near {city}, {country}")),
        (None, Some(place)) | (Some(place), None) => Some(format!("near {place}")),
        (None, None) => session.ip_address.as_deref().map(address_in_words),
    }
}

/// "Local network" for an address that nobody outside can have, else the address.
fn address_in_words(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(ip) if address::is_local(ip) => "Local network".into(),
        _ => text.to_owned(),
    }
}

/// The address with what is to be known of it.
pub fn address(session: &Session) -> Option<String> {
    let text = session.ip_address.as_deref()?;
    match address_in_words(text) {
        words if words == text => Some(words),
        words => Some(format!("{text} ({words})")),
    }
}

/// How a session was opened.
pub fn opened_via(session: &Session) -> &'static str {
    match session.opened_via {
        OpenedVia::Browser => "With a password, in the browser",
        OpenedVia::Api => "With a password, through the API",
        OpenedVia::Application => "By an application",
    }
}

/// Why a session ended; `by` is the name of the device it was ended from.
pub fn cause(reason: Option<EndedReason>, by: Option<&str>) -> String {
    match (reason, by) {
        (Some(EndedReason::SignedOutRemotely), Some(by)) => format!("Signed out by you, from {by}"),
        (Some(EndedReason::SignedOutRemotely), None) => "Signed out by you, from another device".into(),
        (Some(EndedReason::SignedOut), _) => "Signed out on the device".into(),
        (Some(EndedReason::Admin), _) => "Signed out by an administrator".into(),
        (Some(EndedReason::Expired), _) => "Signed out by itself: not used for too long".into(),
        (Some(EndedReason::ReuseDetected), _) => {
            "Signed out for safety: an old key of it was used again. If you don't know why, change your password".into()
        }
        (Some(EndedReason::PasswordChanged), _) => "Signed out when the password was changed".into(),
        (Some(EndedReason::AccountDisabled), _) => "Signed out when the account was disabled".into(),
        (Some(EndedReason::Replaced), _) => "Replaced: you signed in again in the same browser".into(),
        (Some(EndedReason::Limit), _) => "Signed out to make room for a newer device".into(),
        (None, _) => "Signed out".into(),
    }
}
