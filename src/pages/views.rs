//! The reader of a page, and alerts as templates show them: plain fields, without logic.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::words::{self, TimeView};
use crate::alerts::Alert;
use crate::error::Result;
use crate::geo::{Place, Places};
use crate::http::app_state::AppState;
use crate::http::client::languages;
use crate::http::reader_clock::ReaderClock;
use crate::net::{IpRetention, LOCAL_NETWORK};
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
    /// The label of the device that they read on.
    here: String,
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
            here: caller.session.label(),
        })
    }

    /// Returns whether the device that they read on has that label.
    pub fn is_here_labelled(&self, label: &str) -> bool {
        self.here == label
    }

    /// Returns a place in the reader's language, as far as the place databases have it.
    pub fn place(&self, ip: Option<&str>, place: Place) -> Place {
        match ip.and_then(|ip| ip.parse().ok()) {
            Some(ip) => self.places.translate(ip, place, &self.languages),
            None => place,
        }
    }

    /// Describes a location: "near Lyon, France", "in France"; where no place is known, "Local network"
    /// for an address that is in none, else nothing: an address is no place.
    pub fn describe_location(&self, ip: Option<&str>, place: Place) -> Option<String> {
        match self.place(ip, place).describe() {
            Some(place) => Some(place),
            None => ip
                .filter(|ip| words::is_local(ip))
                .map(|_| LOCAL_NETWORK.into()),
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
