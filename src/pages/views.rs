//! Devices, alerts and ended sessions as templates show them: plain fields, without logic.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpRequest;

use super::words::{self, Named, TimeView};
use crate::alerts::{Alert, AlertKind};
use crate::db::SessionId;
use crate::devices::DeviceGroup;
use crate::error::Result;
use crate::geo::{Place, Places};
use crate::http::app_state::AppState;
use crate::http::client::languages;
use crate::http::reader_clock::ReaderClock;
use crate::net::{IpRetention, display_stored_ip};
use crate::people::User;
use crate::sessions::{Caller, Session};
use crate::user_agent::DeviceKind;

/// The person that a page is rendered for.
pub struct Reader {
    /// Their clock.
    pub clock: ReaderClock,
    languages: Vec<String>,
    places: Arc<Places>,
    retention: IpRetention,
}

impl Reader {
    /// Returns the caller as a reader of the languages that the request prefers.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when the server was assembled without its state.
    pub fn new(app: &AppState, request: &HttpRequest, caller: &Caller) -> Result<Self> {
        Self::of_devices_of(app, request, caller, &caller.user)
    }

    /// Returns the caller as a reader of somebody else's devices, whose addresses are stored by the
    /// retention of `owner`.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) as [`Self::new`].
    pub fn of_devices_of(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        owner: &User,
    ) -> Result<Self> {
        Ok(Self {
            clock: ReaderClock::of_caller(request, caller)?,
            languages: languages(request),
            places: app.places.clone(),
            retention: owner.ip_retention,
        })
    }

    /// Returns a place in the reader's language, as far as the place databases have it.
    pub fn place(&self, ip: Option<&str>, place: Place) -> Place {
        match ip.and_then(|ip| ip.parse().ok()) {
            Some(ip) => self.places.translate(ip, place, &self.languages),
            None => place,
        }
    }

    /// Describes a location: "near Lyon, France"; where no place is known, by its address.
    pub fn describe_location(&self, ip: Option<&str>, place: Place) -> Option<String> {
        match self.place(ip, place).display_name() {
            Some(place) => Some(format!("near {place}")),
            None => ip.map(|ip| words::address(ip, self.retention)),
        }
    }

    /// Describes an address as [`words::address_in_full`] does.
    pub fn address(&self, ip: &str) -> String {
        words::address_in_full(ip, self.retention)
    }

    fn describe_session_location(&self, session: &Session) -> Option<String> {
        self.describe_location(session.ip_address.as_deref(), session.place())
    }
}

/// A device that a person is or was signed in on.
pub struct DeviceView {
    /// The id of the session that represents it.
    pub id: String,
    /// The sprite's symbol of its kind.
    pub icon: &'static str,
    /// The name that its owner gave it, else its label.
    pub name: String,
    /// Its label, by what it states of itself, where its owner gave it another name.
    pub label: Option<String>,
    /// Where it was last used.
    pub place: Option<String>,
    /// When it was last used.
    pub last_used: TimeView,
    /// When the session that represents it was created.
    pub first_sign_in: TimeView,
    /// How it signed in.
    pub opened_via: &'static str,
    /// The browser and its symbol: "Firefox 140".
    pub browser: Option<Named>,
    /// The system and its symbol: "Windows 11".
    pub system: Option<Named>,
    /// The address that it was last used from.
    pub address: Option<String>,
    /// When the session expires.
    pub ends: TimeView,
    /// Whether each use defers the expiry.
    pub ends_if_unused: bool,
    /// Whether it is exempt from the idle limit.
    pub is_idle_exempt: bool,
    /// The user agent as it was sent.
    pub user_agent: Option<String>,
    /// Its sessions, if it has several.
    pub sessions: Vec<SignInView>,
    /// An impossible travel of one of its sessions.
    pub travel: Option<String>,
}

/// One of a device's sessions.
pub struct SignInView {
    /// Its id.
    pub id: String,
    /// How it signed in.
    pub opened_via: &'static str,
    /// When it was created.
    pub signed_in: TimeView,
    /// When it was last used.
    pub last_used: TimeView,
    /// Where it was last used.
    pub place: Option<String>,
    /// Whether the page is read in it.
    pub is_current: bool,
}

impl DeviceView {
    /// Returns the device of a single `session`.
    pub fn new(session: &Session, reader: &Reader) -> Self {
        let label = session.label();
        let name = session.display_name();
        Self {
            id: session.id.to_string(),
            icon: session.device_kind.as_str(),
            label: Some(label).filter(|label| *label != name),
            name,
            place: reader.describe_session_location(session),
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            first_sign_in: TimeView::exact(session.created_at, reader.clock),
            opened_via: words::opened_via(session),
            browser: words::browser(session),
            system: words::system(session),
            address: session.ip_address.as_deref().map(|ip| reader.address(ip)),
            ends: TimeView::ahead(session.expires_at, reader.clock),
            ends_if_unused: session.expires_at < session.absolute_expires_at,
            is_idle_exempt: session.is_idle_exempt(),
            user_agent: session.user_agent.clone(),
            sessions: Vec::new(),
            travel: None,
        }
    }

    /// Returns `device`, represented by its session `shown`, for a reader in the session `current`.
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

    /// Returns the view with the impossible travel of one of the device's sessions, if there is
    /// one.
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
            signed_in: TimeView::exact(session.created_at, reader.clock),
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            place: reader.describe_session_location(session),
            is_current: session.id == current,
        }
    }
}

/// Impossible travels in words, by session.
pub struct ImpossibleTravels(pub HashMap<SessionId, String>);

/// An alert.
pub struct AlertView {
    /// Its id.
    pub id: String,
    /// The sprite's symbol of the device's kind.
    pub icon: &'static str,
    /// The label of the device.
    pub device: String,
    /// What it reports.
    pub what: &'static str,
    /// When it was raised.
    pub at: TimeView,
    /// The place where it happened.
    pub place: Option<String>,
    /// The address that it came from.
    pub address: Option<String>,
    /// The label of the button that confirms it.
    pub yes: &'static str,
    /// The label of the button that reports it.
    pub no: &'static str,
}

impl AlertView {
    /// Returns `alert` for a reader, in their language.
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
            ..Self::for_link(alert, reader.clock)
        }
    }

    /// Returns `alert` for the bearer of a link, who is not signed in.
    pub fn for_link(alert: &Alert, clock: ReaderClock) -> Self {
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
            at: TimeView::ago(alert.at, clock),
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

/// What an administrator did to the reader's account.
pub struct AdminActView {
    /// The id of the notice.
    pub id: String,
    /// What it was.
    pub what: String,
    /// When it was done.
    pub at: TimeView,
    /// The reason that was stated.
    pub reason: Option<String>,
}

impl AdminActView {
    /// Returns the view of a notice.
    pub fn new(notice: &Alert, clock: ReaderClock) -> Self {
        let who = match notice.device_kind {
            DeviceKind::Program => "An administrator, on the server,",
            _ => "An administrator",
        };
        Self {
            id: notice.id.to_string(),
            what: format!("{who} {}.", words::admin_act(notice)),
            at: TimeView::ago(notice.at, clock),
            reason: notice.stated_reason.clone(),
        }
    }
}

/// A session that has ended.
pub struct EndedSessionView {
    /// Its id.
    pub id: String,
    /// The name of its device.
    pub name: String,
    /// Why it ended.
    pub cause: String,
    /// When it ended.
    pub at: TimeView,
}

impl EndedSessionView {
    /// Returns the view of `session`; `names` are those of the sessions that it may have
    /// been ended from.
    pub fn new(session: &Session, names: &DeviceNames, clock: ReaderClock) -> Self {
        Self {
            id: session.id.to_string(),
            name: session.display_name(),
            cause: words::cause(session.ended_reason, names.find(session.ended_by)),
            at: TimeView::ago(session.ended_at.unwrap_or(session.expires_at), clock),
        }
    }

    /// Returns the view with the reason that an administrator stated for the end of `session`, if
    /// one did.
    pub fn with_stated_reason(self, session: &Session, stated: Option<&String>) -> Self {
        let Some(stated) = stated else {
            return self;
        };
        let cause = words::cause_with_reason(session.ended_reason, None, Some(stated));
        Self { cause, ..self }
    }
}

/// The names of a person's devices, by session.
pub struct DeviceNames(HashMap<SessionId, String>);

impl DeviceNames {
    /// Returns the names of the devices of `sessions`.
    pub fn new<'a>(sessions: impl IntoIterator<Item = &'a Session>) -> Self {
        Self(
            sessions
                .into_iter()
                .map(|session| (session.id, session.display_name()))
                .collect(),
        )
    }

    /// Returns the name of the device of a session, if it is known.
    pub fn find(&self, id: Option<SessionId>) -> Option<&str> {
        self.0.get(&id?).map(String::as_str)
    }
}
