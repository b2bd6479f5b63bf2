//! What an alert reports, in the sentence that it begins with.

use super::words::{self, TimeView};
use crate::account::{AlertDetails, EarlierReport};
use crate::alerts::{Alert, AlertKind};
use crate::events::EventKind;
use crate::http::reader_clock::ReaderClock;
use crate::people::MAX_FAILURES_IN_WORDS;

/// How what is said of wrong passwords begins.
const WRONG: &str = "The password was entered wrong {n} times on ";

/// What an alert reports, around the name of its device and the time.
pub struct LeadView {
    /// Before the name of the device.
    pub start: String,
    /// The name of the device.
    pub device: String,
    /// Between that and the time.
    pub middle: &'static str,
    /// The time.
    pub at: TimeView,
    /// After the time.
    pub end: String,
}

/// Whether a device is signed in, one of whose sessions was ended for safety.
#[derive(Clone, Copy)]
enum DeviceNow {
    Out,
    /// By sessions from before.
    StillIn,
    /// By sessions since.
    InAgain,
}

impl DeviceNow {
    fn of(details: &AlertDetails) -> Self {
        match (details.is_over(), details.is_signed_in_again) {
            (true, _) => Self::Out,
            (false, true) => Self::InAgain,
            (false, false) => Self::StillIn,
        }
    }
}

impl LeadView {
    pub(super) fn new(details: &AlertDetails, device: &str, clock: ReaderClock) -> Self {
        let alert = &details.alert;
        let (start, middle, end) = match alert.kind {
            AlertKind::Administered => return Self::of_administration(alert, clock),
            kind if kind.is_end() => Self::of_end(kind, DeviceNow::of(details)),
            kind if kind.is_sign_in() => (String::new(), " signed in ", sign_in_end(details)),
            _ => Self::of_use_or_change(alert),
        };
        Self {
            start,
            device: device.to_owned(),
            middle,
            at: TimeView::ago(alert.at, clock),
            end,
        }
    }

    /// Returns what an administrator did, which no device did.
    fn of_administration(alert: &Alert, clock: ReaderClock) -> Self {
        let what = match alert.act {
            Some(EventKind::EmailChanged) => "changed the e-mail of your account".into(),
            _ => words::admin_act(alert),
        };
        Self {
            start: format!("An administrator {what}, "),
            device: String::new(),
            middle: "",
            at: TimeView::ago(alert.at, clock),
            end: ".".into(),
        }
    }

    /// Returns the words around the name of a device one of whose sessions was ended.
    fn of_end(kind: AlertKind, now: DeviceNow) -> (String, &'static str, String) {
        let (start, middle) = match (kind, now) {
            (AlertKind::WrongPasswords, DeviceNow::StillIn) => (WRONG, ". That session was ended "),
            (AlertKind::WrongPasswords, _) => (WRONG, ". It was signed out "),
            _ => ("A copied sign-in of ", " was noticed "),
        };
        let end = match (kind, now) {
            (AlertKind::WrongPasswords, DeviceNow::Out) => ".",
            (AlertKind::WrongPasswords, DeviceNow::InAgain) => "; it is signed in again.",
            (AlertKind::WrongPasswords, DeviceNow::StillIn) => "; the device is still signed in.",
            (_, DeviceNow::Out) => ", so it was signed out.",
            (_, DeviceNow::InAgain) => ", so it was signed out. It is signed in again.",
            (_, DeviceNow::StillIn) => {
                ", so that session was ended. The device is still signed in."
            }
        };
        let start = start.replace("{n}", MAX_FAILURES_IN_WORDS);
        (start, middle, end.into())
    }

    /// Returns the words around the name of a device that was used in two places, whose sign-in was copied, or on which
    /// something was changed.
    fn of_use_or_change(alert: &Alert) -> (String, &'static str, String) {
        let (start, middle, end) = match alert.kind {
            AlertKind::TwoPlaces => {
                const WHERE: &str = " was used in two places, too far apart for the time between, ";
                ("", WHERE, ".")
            }
            AlertKind::CopyRefused => (
                "Somebody used a copy of the sign-in of ",
                ", ",
                ". This time it got nothing.",
            ),
            AlertKind::PasswordChanged => ("Your password was changed on ", ", ", "."),
            AlertKind::EmailChanged if alert.is_by_mailbox() => {
                ("Your e-mail was changed by ", ", ", ".")
            }
            AlertKind::EmailChanged => ("Your e-mail was changed on ", ", ", "."),
            _ => ("Your account was changed by ", ", ", "."),
        };
        (start.into(), middle, end.into())
    }
}

/// Returns what is new about a sign-in. What its person reported before was not theirs, but not the first
/// either.
fn sign_in_end(details: &AlertDetails) -> String {
    let alert = &details.alert;
    let country = || {
        let country = alert.place().country_in_sentence();
        country.unwrap_or_else(|| "this country".into())
    };
    match (details.earlier_report, alert.kind) {
        (Some(EarlierReport::OfDevice), _) => ", on a device that you reported before.".into(),
        (Some(EarlierReport::FromCountry), AlertKind::NewCountry) => format!(
            ", from {}, where a device that you reported was used before.",
            country()
        ),
        (_, AlertKind::NewCountry) => format!(", for the first time from {}.", country()),
        _ => ", for the first time.".into(),
    }
}
