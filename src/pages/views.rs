//! The reader of a page, and alerts as templates show them: plain fields, without logic.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::words::{self, TimeView};
use crate::alerts::{Alert, AlertKind};
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

    /// Describes where a session was last used.
    pub fn describe_session_location(&self, session: &Session) -> Option<String> {
        self.describe_location(session.ip_address.as_deref(), session.place())
    }
}

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
