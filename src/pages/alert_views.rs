//! Alerts as templates show them: the question, the evidence, and the answers that are true.

use super::alert_lead::LeadView;
use super::map::{MapReader, MapView};
use super::report_words::hints;
use super::review_words::answer;
use super::travel_views;
use super::views::Reader;
use super::words::{self, Named, TimeView};
use crate::account::{AlertDetails, ReportPreview};
use crate::alerts::{Alert, AlertKind, AlertReview, UseBeforeWords};
use crate::http::reader_clock::ReaderClock;
use crate::net::describe_stored_ip;
use crate::sessions::{OpenedVia, Session};
use crate::user_agent::DeviceKind;

/// The label of the button that reports an alert while its session is live.
pub(super) const SIGN_OUT: &str = "No, sign it out";
/// What to do about a copied sign-in.
const COPIED: &str = "Set a new password, and check the device: remove programs and browser \
                      extensions that you don’t know. If you have just restored it from a backup, \
                      that is the reason; sign in on it again.";
/// The same where the device is signed in.
const COPIED_STILL_IN: &str = "Set a new password, and check the device: remove programs and browser \
                               extensions that you don’t know. If you have just restored it from a \
                               backup, that is the reason.";
/// What to do about wrong passwords on a device.
const GUESSED: &str = "If it wasn’t you, somebody has the device, or a copy of its sign-in: set a \
                       new password. If it was you, sign in on it again.";
/// The same where the device is signed in.
const GUESSED_STILL_IN: &str = "If it wasn’t you, somebody has the device, or a copy of its sign-in: \
                                set a new password.";
/// What to do about a session that was used in two places.
const TWO_PLACES: &str = "A VPN or a mobile network can make it look so. If it was neither, somebody \
                          may have a copy of what keeps it signed in: sign it out, then set a new \
                          password.";
/// The same where it was signed out since.
const TWO_PLACES_OVER: &str = "A VPN or a mobile network can make it look so. If it was neither, \
                               somebody may have copied its sign-in: set a new password.";

/// What to do about a copy that was used without the key.
const COPY_REFUSED: &str = "What was copied is no use without the browser of that device. Still, \
                            whatever copied it may be on the device: remove programs and browser \
                            extensions that you don’t know, then set a new password.";

const DEVICE: &str = "Device";
const UNRECOGNISED: &str = "Unrecognised browser";

/// An alert.
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// Whether it is about a copied sign-in, which was used in two places.
    pub is_reuse: bool,
    /// The question: "Was this you?".
    pub heading: &'static str,
    /// What happened.
    pub lead: LeadView,
    /// Which it is of several alike, if there are any: "second sign-in".
    pub which: Option<String>,
    /// Whether it is about a sign-in.
    pub is_sign_in: bool,
    /// The device with its versions, and the symbol of its browser. Its name is empty where it was done on none.
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
    /// What that is said under.
    pub before_term: &'static str,
    /// Impossible travel since.
    pub later: Option<String>,
    /// The other place where a copied sign-in was used, with its address: either use may be the copy's.
    pub also_used: Option<String>,
    /// The name of the device in the list of devices, where that is another one.
    pub listed_as: Option<String>,
    /// How far that is from there.
    pub apart: Option<String>,
    /// What to do about it.
    pub advice: Option<&'static str>,
    /// What the answers do, where that is more than their labels say.
    pub hints: Vec<String>,
    /// The map of the places.
    pub map: Option<MapView>,
    /// How it was settled and what that did, on the page of a link that was used.
    pub settled: Option<String>,
    /// What became of it while its page was open, where it waits for no answer any more.
    pub outcome: Option<String>,
    /// The label of the button that confirms it.
    pub yes: &'static str,
    /// The label of the button that reports it.
    pub no: &'static str,
}

impl AlertView {
    /// Returns what tells it from others alike, if there are any: "second sign-in, 17 May 2031, 08:31 UTC".
    pub fn apart(&self) -> Option<String> {
        let which = self.which.as_ref()?;
        Some(format!("{which}, {}", self.at.exact))
    }

    /// Returns what the place where it happened is said under.
    pub fn place_term(&self) -> &'static str {
        match (self.is_reuse, self.place.is_some()) {
            (true, _) => "Used here",
            (false, true) => "Where",
            (false, false) => "Address",
        }
    }

    /// Returns an alert for its person, in their language. Its report would do what `preview` says.
    pub fn new(details: &AlertDetails, preview: &ReportPreview, reader: &Reader) -> Self {
        let alert = &details.alert;
        let ip = alert.ip_address.as_deref();
        let view = Self::for_link(details, reader.clock);
        Self {
            place: reader.place(ip, alert.place()).display_name(),
            address: ip.map(|ip| reader.address(ip)),
            map: MapView::of_alert(alert, reader.clock, MapReader::Person),
            hints: hints(alert, (view.yes, view.no), preview, reader),
            ..view
        }
    }

    /// Returns an alert for the reader of the account's own mailbox, who is not signed in.
    pub fn for_link(details: &AlertDetails, clock: ReaderClock) -> Self {
        let alert = &details.alert;
        let session = details.session.as_ref();
        let is_over = details.is_over();
        let listed_as = details.listed_as.clone();
        let copied = session.filter(|_| alert.kind == AlertKind::TokenReuse);
        let apart = copied.and_then(|session| apart(alert, session));
        Self {
            heading: heading(alert, is_over),
            lead: LeadView::new(details, &alert.device_name, clock),
            device: device(alert, session),
            signed_in: session
                .filter(|_| alert.kind.is_sign_in())
                .map(|session| signed_in(session.opened_via)),
            before_term: before_term(alert),
            before: match apart {
                Some(_) => None,
                None => alert.use_before_words(),
            },
            apart,
            later: details.later_travel.as_deref().map(travel_views::entry),
            also_used: copied.and_then(last_used),
            listed_as: listed_as.filter(|name| *name != alert.device_name),
            map: MapView::of_alert(alert, clock, MapReader::Bearer),
            no: match is_over || !alert.kind.is_use() {
                true => answer(alert.kind, AlertReview::Reported),
                false => SIGN_OUT,
            },
            ..Self::for_former(details, clock)
        }
    }

    /// Returns an alert for the reader of a former address: what it is about itself, and nothing of the
    /// person's other devices, places and names.
    pub fn for_former(details: &AlertDetails, clock: ReaderClock) -> Self {
        let alert = &details.alert;
        let label = alert.label();
        Self {
            id: alert.id.to_string(),
            is_reuse: alert.kind == AlertKind::TokenReuse,
            which: None,
            is_sign_in: alert.kind.is_sign_in(),
            heading: "Was this you?",
            lead: LeadView::new(details, label.unwrap_or_else(|| unnamed(alert.kind)), clock),
            device: Named {
                term: DEVICE,
                icon: alert.device_kind.as_str(),
                name: match has_no_device(alert) {
                    true => String::new(),
                    false => label.unwrap_or(UNRECOGNISED).to_owned(),
                },
            },
            at: TimeView::exact(alert.at, clock),
            place: alert.place().display_name(),
            address: alert.ip_address.as_deref().map(describe_stored_ip),
            signed_in: None,
            before: None,
            before_term: before_term(alert),
            later: None,
            also_used: None,
            apart: None,
            listed_as: None,
            advice: advice(alert.kind, details.is_over()),
            hints: Vec::new(),
            map: None,
            settled: None,
            outcome: None,
            yes: answer(alert.kind, AlertReview::Confirmed),
            no: answer(alert.kind, AlertReview::Reported),
        }
    }
}

/// Returns what to do about an alert; `is_over` if its device is signed out.
fn advice(kind: AlertKind, is_over: bool) -> Option<&'static str> {
    Some(match (kind, is_over) {
        (AlertKind::TokenReuse, true) => COPIED,
        (AlertKind::TokenReuse, false) => COPIED_STILL_IN,
        (AlertKind::WrongPasswords, true) => GUESSED,
        (AlertKind::WrongPasswords, false) => GUESSED_STILL_IN,
        (AlertKind::TwoPlaces, true) => TWO_PLACES_OVER,
        (AlertKind::TwoPlaces, false) => TWO_PLACES,
        (AlertKind::CopyRefused, _) => COPY_REFUSED,
        _ => return None,
    })
}

/// Returns whether what an alert is about was done on no device of its person.
fn has_no_device(alert: &Alert) -> bool {
    alert.is_by_mailbox() || alert.kind.is_notice()
}

/// Returns words for a device whose label is not known; those of a sign-in begin its sentence.
fn unnamed(kind: AlertKind) -> &'static str {
    match kind.is_sign_in() {
        true => "A device",
        false => "a device",
    }
}

/// Returns what the use before an alert is said under.
fn before_term(alert: &Alert) -> &'static str {
    match (alert.kind, alert.use_before()) {
        (AlertKind::TokenReuse, _) => "Both",
        (AlertKind::TwoPlaces, _) => "Before that",
        (_, Some(before)) if before.is_impossible => "But",
        _ => "Before that",
    }
}

/// Returns where a session was last used: the place and the address.
fn last_used(session: &Session) -> Option<String> {
    let address = session.ip_address.as_deref().map(describe_stored_ip);
    let parts: Vec<String> = session
        .place()
        .display_name()
        .into_iter()
        .chain(address)
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// Returns how far apart the two uses of a copied sign-in were, where its session was last used at the other
/// place; then both places are said.
fn apart(alert: &Alert, session: &Session) -> Option<String> {
    let before = alert.use_before()?;
    let place = session.place();
    let is_there = (&before.place.city, &before.place.country) == (&place.city, &place.country);
    is_there.then(|| before.words_of_both(alert.at, &alert.place()))
}

/// Returns the question that an alert asks.
pub fn heading(alert: &Alert, is_over: bool) -> &'static str {
    match (alert.kind, is_over) {
        (AlertKind::TokenReuse, _) => "Did you copy this sign-in?",
        (AlertKind::TwoPlaces, false) => "Was this you in both places?",
        (_, true) => "Already signed out. Was it you?",
        (_, false) => "Was this you?",
    }
}

/// Returns the device of an alert with its versions: "Edge 142 on Windows 11".
fn device(alert: &Alert, session: Option<&Session>) -> Named {
    let (browser, system) = (
        session.and_then(words::browser),
        session.and_then(words::system),
    );
    match (browser, system) {
        (Some(browser), Some(system)) => Named {
            term: DEVICE,
            icon: browser.icon,
            name: format!("{} on {}", browser.name, system.name),
        },
        (Some(named), None) | (None, Some(named)) => named,
        (None, None) => Named {
            term: DEVICE,
            icon: alert.device_kind.as_str(),
            name: match alert.device_kind {
                _ if has_no_device(alert) => String::new(),
                DeviceKind::Unknown => UNRECOGNISED.into(),
                _ => alert.device_name.clone(),
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
