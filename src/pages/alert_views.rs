//! Alerts as templates show them: the question, the evidence, and the answers that are true.

use super::map::{MapReader, MapView};
use super::views::Reader;
use super::words::{self, Named, TimeView};
use crate::account::{AfterReport, AlertDetails, ReviewOutcome, StepState};
use crate::alerts::{Alert, AlertKind, AlertReview, UseBeforeWords};
use crate::http::reader_clock::ReaderClock;
use crate::net::display_stored_ip;
use crate::sessions::{OpenedVia, Session};
use crate::user_agent::DeviceKind;

/// The label of the button that reports an alert while its session is live.
const SIGN_OUT: &str = "No, sign it out";
/// What to do about a copied sign-in.
const COPIED: &str = "Set a new password, and check the device: remove programs and browser \
                      extensions that you don’t know. If you have just restored it from a backup, \
                      that is the reason; sign in on it again.";
/// What to do about wrong passwords on a device.
const GUESSED: &str = "If it wasn’t you, somebody has the device, or a copy of its sign-in: set a \
                       new password. If it was you, sign in on it again.";

/// An alert.
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// The question: "Was this you?".
    pub heading: &'static str,
    /// What happened.
    pub lead: LeadView,
    /// The device with its versions, and the symbol of its browser.
    pub device: Named,
    /// When it happened, exactly.
    pub at: TimeView,
    /// The place where it happened.
    pub place: Option<String>,
    /// The address that it came from.
    pub address: Option<String>,
    /// How the session was created, if it is about a sign-in.
    pub signed_in: Option<&'static str>,
    /// Where the person was before.
    pub before: Option<UseBeforeWords>,
    /// Whether nobody travels as fast as that.
    pub is_impossible: bool,
    /// Impossible travel since.
    pub later: Option<String>,
    /// What to do about it.
    pub advice: Option<&'static str>,
    /// The map of the places.
    pub map: Option<MapView>,
    /// How it was settled, if it was.
    pub settled: Option<String>,
    /// The label of the button that confirms it.
    pub yes: &'static str,
    /// The label of the button that reports it.
    pub no: &'static str,
}

/// What an alert reports, around the name of its device and the time.
pub struct LeadView {
    /// Before the name of the device.
    pub start: &'static str,
    /// The name of the device.
    pub device: String,
    /// Between that and the time.
    pub middle: &'static str,
    /// The time.
    pub at: TimeView,
    /// After the time.
    pub end: String,
}

impl AlertView {
    /// Returns an alert for its person, in their language.
    pub fn new(details: &AlertDetails, reader: &Reader) -> Self {
        let alert = &details.alert;
        let ip = alert.ip_address.as_deref();
        Self {
            place: reader.place(ip, alert.place()).display_name(),
            address: ip.map(|ip| reader.address(ip)),
            map: MapView::of_alert(alert, reader.clock, MapReader::Person),
            ..Self::for_link(details, reader.clock)
        }
    }

    /// Returns an alert for the bearer of a link, who is not signed in.
    pub fn for_link(details: &AlertDetails, clock: ReaderClock) -> Self {
        let alert = &details.alert;
        let session = details.session.as_ref();
        let is_over = details.is_over();
        let before = alert.use_before();
        Self {
            id: alert.id.to_string(),
            heading: heading(is_over),
            lead: LeadView::new(alert, clock),
            device: device(alert, session),
            at: TimeView::exact(alert.at, clock),
            place: alert.place().display_name(),
            address: alert.ip_address.as_deref().map(display_stored_ip),
            signed_in: session
                .filter(|_| alert.kind.is_sign_in())
                .map(|session| signed_in(session.opened_via)),
            is_impossible: before.is_some_and(|before| before.is_impossible),
            before: alert.use_before_words(),
            later: details.later_travel.clone(),
            advice: match alert.kind {
                AlertKind::TokenReuse => Some(COPIED),
                AlertKind::WrongPasswords => Some(GUESSED),
                _ => None,
            },
            map: MapView::of_alert(alert, clock, MapReader::Bearer),
            settled: describe_settlement(details, clock),
            yes: "Yes, it was me",
            no: match is_over || !alert.kind.is_sign_in() {
                true => "No, it wasn’t me",
                false => SIGN_OUT,
            },
        }
    }
}

impl LeadView {
    fn new(alert: &Alert, clock: ReaderClock) -> Self {
        let country = || alert.place().country_in_sentence();
        let (start, middle, end) = match alert.kind {
            AlertKind::NewDevice => ("", " signed in ", ", for the first time.".into()),
            AlertKind::NewCountry => (
                "",
                " signed in ",
                format!(
                    ", for the first time from {}.",
                    country().unwrap_or_else(|| "this country".into())
                ),
            ),
            AlertKind::PasswordChanged => ("Your password was changed on ", ", ", ".".into()),
            AlertKind::EmailChanged if alert.is_by_mailbox() => {
                ("Your e-mail was changed by ", ", ", ".".into())
            }
            AlertKind::EmailChanged => ("Your e-mail was changed on ", ", ", ".".into()),
            AlertKind::TokenReuse => (
                "A copied sign-in of ",
                " was used ",
                ", so it was signed out.".into(),
            ),
            AlertKind::WrongPasswords => (
                "The password was entered wrong ten times on ",
                ". It was signed out ",
                ".".into(),
            ),
            AlertKind::Administered => ("Your account was changed by ", ", ", ".".into()),
        };
        Self {
            start,
            device: alert.device_name.clone(),
            middle,
            at: TimeView::ago(alert.at, clock),
            end,
        }
    }
}

/// Returns the question that an alert asks.
pub fn heading(is_over: bool) -> &'static str {
    match is_over {
        true => "Already signed out. Was it you?",
        false => "Was this you?",
    }
}

/// Returns the device of an alert with its versions: "Edge 142 on Windows 11".
fn device(alert: &Alert, session: Option<&Session>) -> Named {
    const TERM: &str = "Device";

    let (browser, system) = (
        session.and_then(words::browser),
        session.and_then(words::system),
    );
    match (browser, system) {
        (Some(browser), Some(system)) => Named {
            term: TERM,
            icon: browser.icon,
            name: format!("{} on {}", browser.name, system.name),
        },
        (Some(named), None) | (None, Some(named)) => named,
        (None, None) => Named {
            term: TERM,
            icon: alert.device_kind.as_str(),
            name: match alert.is_by_mailbox() || alert.device_kind == DeviceKind::Unknown {
                true => "Unrecognised browser".into(),
                false => alert.device_name.clone(),
            },
        },
    }
}

fn signed_in(via: OpenedVia) -> &'static str {
    match via {
        OpenedVia::Browser => "with your password, in the browser",
        OpenedVia::Api => "with your password, by a program",
        OpenedVia::Application => "by an application",
    }
}

/// Returns how an alert was settled, if it was: answered itself, together with another, or by what
/// was done to the account.
fn describe_settlement(details: &AlertDetails, clock: ReaderClock) -> Option<String> {
    let alert = &details.alert;
    let (review, at) = alert.review()?;
    let at = TimeView::exact(at, clock).words;
    let answer = match review {
        AlertReview::Confirmed => "Yes, it was me",
        AlertReview::Reported => "No, it wasn’t me",
    };
    Some(match (&details.settled_by, alert.settled_by) {
        (Some(other), _) => format!(
            "This was settled together with another alert, about {} on {}. That one was answered “{answer}” on {at}.",
            other.device_name,
            TimeView::exact(other.at, clock).words,
        ),
        (None, Some(by)) if by == alert.id => format!("This was answered “{answer}” on {at}."),
        (None, Some(_)) => format!(
            "This was settled together with another alert, which was answered “{answer}” on {at}."
        ),
        (None, None) => format!("This was settled on {at}."),
    })
}

/// Returns what the review of an alert did, in words.
pub fn describe_review(outcome: &ReviewOutcome) -> String {
    let alert = &outcome.details.alert;
    let device = match &outcome.details.session {
        Some(session) if !alert.kind.is_sign_in() => session.display_name(),
        _ => alert.device_name.clone(),
    };
    let is_confirmed = matches!(alert.review(), Some((AlertReview::Confirmed, _)));
    if is_confirmed {
        return match (alert.kind, outcome.is_live()) {
            (AlertKind::NewDevice | AlertKind::NewCountry, true) => {
                format!("Good: it was you. {device} stays signed in.")
            }
            (AlertKind::PasswordChanged | AlertKind::EmailChanged, _) => {
                "Good: it was you. Nothing was changed.".into()
            }
            _ => format!("Good: it was you. {device} was already signed out."),
        };
    }
    let has_ended_subject = outcome.has_ended_subject();
    let ended = ended_devices(&outcome.ended);
    match (&outcome.details.session, ended) {
        (Some(_), Some(ended)) if !has_ended_subject => {
            format!("{device} was already signed out, and no longer counts as yours. {ended}")
        }
        (_, Some(ended)) => ended,
        (Some(_), None) if outcome.is_live() => "Your answer is recorded.".into(),
        (Some(_), None) => {
            format!("{device} was already signed out, and no longer counts as yours.")
        }
        (None, None) => "Your answer is recorded. No device was left to sign out.".into(),
    }
}

/// Returns what a report signed out, in a sentence, if anything.
pub fn ended_devices(ended: &[Session]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for session in ended {
        let name = session.display_name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(match names.as_slice() {
        [] => return None,
        [name] => format!("{name} is signed out, and no longer counts as yours."),
        [names @ .., last] => {
            format!(
                "{} and {last} are signed out, and no longer count as yours.",
                names.join(", ")
            )
        }
    })
}

/// The steps after a report.
pub struct StepsView {
    /// The id of the alert.
    pub id: String,
    /// What was reported: "Edge on Windows".
    pub device: String,
    /// When it was reported.
    pub at: TimeView,
    /// What the report did.
    pub first: &'static str,
    /// How many of the three are behind: "1 of 3 steps is done."
    pub progress: String,
    /// Signing out the other devices.
    pub others: StepView,
    /// Setting a new password.
    pub password: StepView,
    /// Checking the e-mail.
    pub email: StepView,
    /// The e-mail to be checked.
    pub address: String,
}

/// A step.
pub struct StepView {
    /// Whether it is to be done.
    pub is_open: bool,
    /// The class that marks it.
    pub class: &'static str,
    /// What became of it: "Done".
    pub state: &'static str,
}

impl StepView {
    fn new(state: StepState) -> Self {
        let (class, words) = match state {
            StepState::Open => ("open", "To do"),
            StepState::Done => ("done", "Done"),
            StepState::Skipped => ("skipped", "Skipped"),
        };
        Self {
            is_open: state == StepState::Open,
            class,
            state: words,
        }
    }
}

impl StepsView {
    /// Returns the steps for their person, whose e-mail is `address`.
    pub fn new(steps: &AfterReport, address: &str, clock: ReaderClock) -> Self {
        let alert = &steps.alert;
        let last = [steps.password, steps.email];
        let mut behind = 1;
        behind += usize::from(steps.others != StepState::Open);
        behind += usize::from(!last.contains(&StepState::Open));
        Self {
            id: alert.id.to_string(),
            device: alert.device_name.clone(),
            at: TimeView::ago(alert.reported_at().unwrap_or(alert.at), clock),
            first: match alert.session_id {
                Some(_) => "Sign it out",
                None => "Report it",
            },
            progress: match behind {
                1 => "Step 1 of 3 is behind you.".into(),
                n => format!("{n} of 3 steps are behind you."),
            },
            others: StepView::new(steps.others),
            password: StepView::new(steps.password),
            email: StepView::new(steps.email),
            address: address.to_owned(),
        }
    }
}
