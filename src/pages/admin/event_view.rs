//! What happened to a person, as an administrator or an auditor reads it: in the third person, with
//! who did it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::person::{Badge, find_application_name};
use super::{event_words, session_words};
use crate::account::event_address;
use crate::alerts::{Alert, AlertKind};
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::events::{Event, EventKind};
use crate::geo::Place;
use crate::http::app_state::AppState;
use crate::pages::device_views::{DeviceNames, EndedSessionView};
use crate::pages::travel_views;
use crate::pages::views::Reader;
use crate::pages::words::{self, TimeView};
use crate::people::User;
use crate::sessions::{EndedReason, Session};

/// An event.
pub(super) struct EventView {
    /// What happened.
    pub(super) what: String,
    /// The device that it happened on, if it is known.
    pub(super) device: Option<String>,
    /// Who did it, unless it was the person themselves.
    pub(super) by: Option<ByView>,
    /// The address it was done from.
    pub(super) address: Option<String>,
    /// When it happened, or did last.
    pub(super) at: TimeView,
    /// The reason that was stated.
    pub(super) reason: Option<String>,
}

/// Who did something.
pub(super) struct ByView {
    /// The page of the person who did it, if it was one.
    pub(super) href: Option<String>,
    /// Their name, or words for what did it.
    pub(super) name: String,
}

/// An alert.
pub(super) struct AlertView {
    /// What it reports.
    pub(super) what: &'static str,
    /// The label of the device.
    pub(super) device: String,
    /// What became of it.
    pub(super) state: Badge,
    /// The place where it happened.
    pub(super) place: Option<String>,
    /// The address that it came from.
    pub(super) address: Option<String>,
    /// When it was raised.
    pub(super) at: TimeView,
}

/// Those who did something, besides the person themselves.
pub(super) struct Doers {
    people: HashMap<UserId, Option<User>>,
    applications: HashMap<ApplicationId, Option<String>>,
}

impl Doers {
    /// Finds those who did what `events` report; `owner` is the person whom these are about. One
    /// query for each.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(super) async fn load(app: &AppState, owner: &User, events: &[Event]) -> Result<Self> {
        let mut found = Self {
            people: HashMap::new(),
            applications: HashMap::new(),
        };
        let people = events.iter().filter_map(|event| event.by_user_id);
        for id in people.filter(|id| *id != owner.id) {
            if let Entry::Vacant(entry) = found.people.entry(id) {
                entry.insert(match app.people.get(id).await {
                    Err(Error::NotFound) => None,
                    user => Some(user?),
                });
            }
        }
        for id in events.iter().filter_map(|event| event.by_application_id) {
            if let Entry::Vacant(entry) = found.applications.entry(id) {
                entry.insert(find_application_name(app, Some(id)).await?);
            }
        }
        Ok(found)
    }

    fn describe(&self, event: &Event) -> Option<ByView> {
        let named = |name: String| ByView { href: None, name };
        if let Some(id) = event.by_application_id {
            let name = self.applications.get(&id).cloned().flatten();
            return Some(named(match name {
                Some(name) => format!("by the application {name}"),
                None => "by a deleted application".into(),
            }));
        }
        match (event.by_user_id, event.actor()) {
            (Some(id), _) if Some(id) == event.user_id => None,
            (Some(id), _) => Some(match self.people.get(&id) {
                Some(Some(user)) => ByView {
                    href: Some(format!("/admin/users/{id}")),
                    name: user.display_name().to_owned(),
                },
                _ => named("by a deleted account".into()),
            }),
            (None, actor) => Some(named(format!("by {}", actor.unnamed()))),
        }
    }

    /// Finds the person who did it; `owner` is the one whom the event is about.
    fn find<'a>(&'a self, event: &Event, owner: &'a User) -> Option<&'a User> {
        match event.by_user_id? {
            id if id == owner.id => Some(owner),
            id => self.people.get(&id)?.as_ref(),
        }
    }
}

impl EventView {
    /// Returns the view of an event of `owner`.
    pub(super) fn new(
        event: &Event,
        (owner, reader): (&User, &Reader),
        (doers, names): (&Doers, &DeviceNames),
    ) -> Self {
        let ip = event_address(event, owner, doers.find(event, owner));
        Self {
            what: what(event, names),
            device: names
                .find(event.session_id)
                .map(str::to_owned)
                .or_else(|| event.device.clone()),
            by: doers.describe(event),
            address: ip.map(|ip| reader.address(&ip)),
            at: TimeView::ago(event.last_at.unwrap_or(event.at), reader.clock),
            reason: event.stated_reason.clone(),
        }
    }
}

impl AlertView {
    /// Returns the view of an alert of `owner`.
    pub(super) fn new(alert: &Alert, owner: &User, reader: &Reader) -> Self {
        let ip = shown(alert.ip_address.as_deref(), owner);
        let place = Place {
            city: alert.location_city.clone(),
            country: alert.location_country.clone(),
            point: None,
        };
        let place = reader.place(ip.as_deref(), place).describe();
        Self {
            what: describe_alert(alert.kind),
            device: alert.device_name.clone(),
            state: alert_state(alert),
            place,
            address: ip.map(|ip| reader.address(&ip)),
            at: TimeView::ago(alert.at, reader.clock),
        }
    }
}

/// Returns the view of an ended session.
pub(super) fn ended_session(
    session: &Session,
    names: &DeviceNames,
    reader: &Reader,
) -> EndedSessionView {
    let cause = cause(session.ended_reason, names.find(session.ended_by));
    EndedSessionView::new(session, cause, reader.clock)
}

/// Returns an address of `owner`, as far as they want it stored: what else is still there is not shown
/// to others.
pub(super) fn shown(ip: Option<&str>, owner: &User) -> Option<String> {
    owner.ip_retention.redact(ip?)
}

fn what(event: &Event, names: &DeviceNames) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    match event.kind {
        EventKind::SignedIn => "Signed in".into(),
        EventKind::Refreshed => "Used from a new address".into(),
        EventKind::Renamed => words::renamed(event),
        // Which one follows.
        EventKind::Ended if event.by_application_id.is_some() => "Ended by an application".into(),
        EventKind::Ended => cause(detail.parse().ok(), names.find(event.by_session_id)),
        EventKind::ImpossibleTravel => travel_views::entry_of_person(detail),
        kind @ (EventKind::Bound | EventKind::UsedWithoutKey) => event_words::kind(kind),
        EventKind::AlertReviewed => {
            words::alert_reviewed(detail, ("it was them", "it was not them"), event)
        }
        kind if kind.is_refusal() => event_words::sentence(event),
        _ => words::account_event(event),
    }
}

/// Returns why a session of somebody else ended; `by` is the name of the device it was ended from.
fn cause(reason: Option<EndedReason>, by: Option<&str>) -> String {
    match (reason, by) {
        (Some(EndedReason::SignedOutRemotely), Some(by)) => {
            format!("Signed out by them, from {by}")
        }
        (Some(EndedReason::SignedOutRemotely), None) => {
            "Signed out by them, from another device".into()
        }
        (reason, _) => session_words::end(reason),
    }
}

fn describe_alert(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::NewDevice => "First sign-in on a device",
        AlertKind::NewCountry => "First sign-in from a country",
        AlertKind::PasswordChanged => "Password changed",
        AlertKind::EmailChanged => "E-mail changed",
        AlertKind::TokenReuse => "An old refresh token was used again",
        AlertKind::Administered => "Notice of what an administrator did",
        AlertKind::WrongPasswords => "Ten wrong passwords in a session",
        AlertKind::TwoPlaces => "Used in two places, too far apart",
        AlertKind::CopyRefused => "A copy of a bound sign-in was used",
    }
}

fn alert_state(alert: &Alert) -> Badge {
    match (alert.is_open(), alert.reported_at()) {
        (true, _) if alert.kind.is_notice() => Badge::new("badge-quiet", "Not dismissed"),
        (false, _) if alert.kind.is_notice() => Badge::new("badge-quiet", "Dismissed"),
        (true, _) => Badge::new("badge-warn", "Open"),
        (false, Some(_)) => Badge::new("badge-danger", "Reported"),
        (false, None) if alert.is_replaced() => Badge::new("badge-quiet", "Replaced"),
        (false, None) => Badge::new("badge-quiet", "Confirmed"),
    }
}
