//! Devices as the pages show them: plain fields, everything decided.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpRequest;

use super::words::{self, Named, TimeView};
use crate::alerts::{Alert, AlertKind};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::devices::DeviceGroup;
use crate::geo::{Place, Places};
use crate::http::app_state::AppState;
use crate::http::client::languages;
use crate::net::{IpRetention, display_stored_ip};
use crate::sessions::{Caller, Session};

/// For whom a page is drawn, and when.
pub struct Reader {
    /// The time it is.
    pub now: Timestamp,
    languages: Vec<String>,
    places: Arc<Places>,
    retention: IpRetention,
}

impl Reader {
    /// The caller, who reads the languages that the request names.
    pub fn new(app: &AppState, request: &HttpRequest, caller: &Caller) -> Self {
        Self {
            now: app.clock.now(),
            languages: languages(request),
            places: app.places.clone(),
            retention: caller.user.ip_retention,
        }
    }

    /// A place in the reader's language, if the file with places has it.
    pub fn place(&self, ip: Option<&str>, place: Place) -> Place {
        match ip.and_then(|ip| ip.parse().ok()) {
            Some(ip) => self.places.translate(ip, place, &self.languages),
            None => place,
        }
    }

    /// "near Lyon, France"; where no place is known, what the address says.
    pub fn describe_location(&self, ip: Option<&str>, place: Place) -> Option<String> {
        match self.place(ip, place).display_name() {
            Some(place) => Some(format!("near {place}")),
            None => ip.map(|ip| words::address(ip, self.retention)),
        }
    }

    /// An address with what is to be known of it.
    pub fn address(&self, ip: &str) -> String {
        words::address_in_full(ip, self.retention)
    }

    fn describe_session_location(&self, session: &Session) -> Option<String> {
        self.describe_location(session.ip_address.as_deref(), session.place())
    }
}

/// A device somebody is signed in on.
pub struct DeviceView {
    /// The id of the session it is known by here.
    pub id: String,
    /// The symbol of its kind in the sprite.
    pub icon: &'static str,
    /// What its owner calls it, else what it says it is.
    pub name: String,
    /// What it says it is, where its owner gave it another name.
    pub label: Option<String>,
    /// Where it was last used.
    pub place: Option<String>,
    /// When it was last used.
    pub last_used: TimeView,
    /// The sign-in.
    pub first_sign_in: TimeView,
    /// How it signed in.
    pub opened_via: &'static str,
    /// "Firefox 140", with its symbol.
    pub browser: Option<Named>,
    /// "Windows 11", with its symbol.
    pub system: Option<Named>,
    /// Where from.
    pub address: Option<String>,
    /// When it ends by itself.
    pub ends: TimeView,
    /// Whether using it puts that off.
    pub ends_if_unused: bool,
    /// As it was sent.
    pub user_agent: Option<String>,
    /// Its sessions, where it has several.
    pub sessions: Vec<SignInView>,
    /// A journey that nobody can have made with it.
    pub travel: Option<String>,
}

/// One of a device's sessions.
pub struct SignInView {
    /// Its id.
    pub id: String,
    /// How it signed in.
    pub opened_via: &'static str,
    /// The sign-in.
    pub signed_in: TimeView,
    /// When it was last used.
    pub last_used: TimeView,
    /// Where it was last used.
    pub place: Option<String>,
    /// Whether the page is read in it.
    pub is_current: bool,
}

impl DeviceView {
    /// `session`, on its own.
    pub fn new(session: &Session, reader: &Reader) -> Self {
        let label = session.label();
        let name = session.display_name();
        Self {
            id: session.id.to_string(),
            icon: session.device_kind.as_str(),
            label: Some(label).filter(|label| *label != name),
            name,
            place: reader.describe_session_location(session),
            last_used: TimeView::ago(session.last_used_at, reader.now),
            first_sign_in: TimeView::exact(session.created_at),
            opened_via: words::opened_via(session),
            browser: words::browser(session),
            system: words::system(session),
            address: session.ip_address.as_deref().map(|ip| reader.address(ip)),
            ends: TimeView::day(session.expires_at),
            ends_if_unused: session.expires_at < session.absolute_expires_at,
            user_agent: session.user_agent.clone(),
            sessions: Vec::new(),
            travel: None,
        }
    }

    /// `device`, known by its session `shown`, read in the session `current`.
    pub fn for_device(
        device: &DeviceGroup<Session>,
        shown: &Session,
        current: SessionId,
        reader: &Reader,
    ) -> Self {
        let sessions: Vec<_> = device
            .iter()
            .map(|session| SignInView::new(session, current, reader))
            .collect();
        Self {
            sessions: if sessions.len() > 1 {
                sessions
            } else {
                Vec::new()
            },
            ..Self::new(shown, reader)
        }
    }

    /// The same, with the journey that one of its sessions made.
    pub fn with_travel(self, device: &DeviceGroup<Session>, travels: &ImpossibleTravels) -> Self {
        let travel = device
            .iter()
            .find_map(|session| travels.0.get(&session.id).cloned());
        Self { travel, ..self }
    }
}

impl SignInView {
    fn new(session: &Session, current: SessionId, reader: &Reader) -> Self {
        Self {
            id: session.id.to_string(),
            opened_via: words::opened_via(session),
            signed_in: TimeView::exact(session.created_at),
            last_used: TimeView::ago(session.last_used_at, reader.now),
            place: reader.describe_session_location(session),
            is_current: session.id == current,
        }
    }
}

/// The journeys that nobody can have made, by the sessions that made them.
pub struct ImpossibleTravels(pub HashMap<SessionId, String>);

/// Something a person should know of.
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// The symbol of the device's kind.
    pub icon: &'static str,
    /// What the device says it is.
    pub device: String,
    /// What happened.
    pub what: &'static str,
    /// When.
    pub at: TimeView,
    /// Where.
    pub place: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// What the person says if it was them.
    pub yes: &'static str,
    /// What they say if it was not.
    pub no: &'static str,
}

impl AlertView {
    /// `alert` as its reader sees it.
    pub fn new(alert: &Alert, reader: &Reader) -> Self {
        let ip = alert.ip_address.as_deref();
        let place = Place {
            city: alert.location_city.clone(),
            country: alert.location_country.clone(),
            point: None,
        };
        let place = reader.place(ip, place).display_name();
        Self {
            place: place.map(|place| format!("near {place}")),
            address: ip.map(|ip| reader.address(ip)),
            ..Self::for_link(alert, reader.now)
        }
    }

    /// `alert` as somebody sees it who came by a link.
    pub fn for_link(alert: &Alert, now: Timestamp) -> Self {
        let place = Place {
            city: alert.location_city.clone(),
            country: alert.location_country.clone(),
            point: None,
        };
        Self {
            id: alert.id.to_string(),
            icon: alert.device_kind.as_str(),
            device: alert.device_name.clone(),
            what: words::alert(alert.kind),
            at: TimeView::ago(alert.at, now),
            place: place.display_name().map(|place| format!("near {place}")),
            address: alert.ip_address.as_deref().map(display_stored_ip),
            yes: match alert.kind {
                AlertKind::TokenReuse => "I know of it",
                _ => "Yes, it was me",
            },
            no: match alert.kind {
                AlertKind::TokenReuse | AlertKind::PasswordChanged | AlertKind::EmailChanged => {
                    "No, it wasn’t me"
                }
                _ => "No, sign it out",
            },
        }
    }
}

/// A session that has ended.
pub struct EndedSessionView {
    /// Its id.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// Why it ended.
    pub cause: String,
    /// When it ended.
    pub at: TimeView,
}

impl EndedSessionView {
    /// `session` as it looks at `now`; `names` are the names of the sessions it may have been
    /// ended from.
    pub fn new(session: &Session, names: &DeviceNames, now: Timestamp) -> Self {
        Self {
            id: session.id.to_string(),
            name: session.display_name(),
            cause: words::cause(session.ended_reason, names.find(session.ended_by)),
            at: TimeView::ago(session.ended_at.unwrap_or(session.expires_at), now),
        }
    }
}

/// What a person's devices are called.
pub struct DeviceNames(HashMap<SessionId, String>);

impl DeviceNames {
    /// The names of `sessions`.
    pub fn new<'a>(sessions: impl IntoIterator<Item = &'a Session>) -> Self {
        Self(
            sessions
                .into_iter()
                .map(|session| (session.id, session.display_name()))
                .collect(),
        )
    }

    /// The name of one of them.
    pub fn find(&self, id: Option<SessionId>) -> Option<&str> {
        self.0.get(&id?).map(String::as_str)
    }
}
