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
use crate::sessions::{Caller, OpenedVia, Session};
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
    /// Whether sessions are bound to browsers here.
    binds: bool,
    /// Whether the devices are their own.
    is_owner: bool,
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
            binds: app.sessions.binds(),
            is_owner: caller.user.id == owner.id,
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

    /// Says since when `sessions`, which are those of a device, are bound to its browser; `None` unless all of
    /// them are.
    pub fn bound_since<'a>(
        &self,
        sessions: impl IntoIterator<Item = &'a Session>,
    ) -> Option<String> {
        let all: Option<Vec<_>> = sessions
            .into_iter()
            .map(|session| session.bound_at)
            .collect();
        let last = all.filter(|_| self.binds)?.into_iter().max()?;
        let since = TimeView::day(last, self.clock).words;
        Some(match self.is_owner {
            true => format!("Bound to this browser since {since}"),
            false => format!("Bound to its browser since {since}"),
        })
    }

    /// Says since when somebody else's session is bound to its browser, if it is.
    pub fn anothers_bound_since(&self, session: &Session) -> Option<String> {
        let since = session.bound_at.filter(|_| self.binds)?;
        let since = TimeView::day(since, self.clock).words;
        Some(format!("Bound to its browser since {since}"))
    }

    /// Says what it means that `sessions`, which are those of a device, are bound to its browser, or are not;
    /// nothing where some are, or where they are no browser's.
    pub fn describe_binding<'a>(
        &self,
        sessions: impl IntoIterator<Item = &'a Session>,
    ) -> Option<&'static str> {
        let sessions: Vec<_> = sessions.into_iter().collect();
        let bound = sessions.iter().filter(|it| it.bound_at.is_some()).count();
        let is_browser = |session: &&Session| session.opened_via == OpenedVia::Browser;
        let words = match bound {
            0 if sessions.iter().all(is_browser) => {
                Some("Not bound: this browser has proved no key")
            }
            n if n == sessions.len() => {
                Some("A copy of its sign-in is no use on another computer.")
            }
            _ => None,
        };
        words.filter(|_| self.binds)
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
