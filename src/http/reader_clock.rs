//! The clock of a page's reader: the time of the rendering, and the zone that they read times in. It is
//! the one that they chose, else the one of their browser, which the script stores in a cookie.

use actix_web::HttpRequest;

use super::app_state::app_state;
use super::cookies::OwnCookie;
use super::received_cookies::ReceivedCookies;
use crate::clock::{TimeZone, Timestamp};
use crate::error::Result;
use crate::people::User;
use crate::sessions::Caller;

/// The time of a page's rendering, and the zone that its reader reads times in.
#[derive(Debug, Clone, Copy)]
pub struct ReaderClock {
    /// The time of the rendering.
    pub now: Timestamp,
    /// The zone.
    pub zone: TimeZone,
    /// What says that it is theirs.
    pub source: ZoneSource,
}

/// What says in which zone somebody reads times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneSource {
    /// The person chose it.
    Setting,
    /// Their browser is in it.
    Browser,
    /// Nothing says it: it is UTC.
    Unknown,
}

impl ReaderClock {
    /// Returns the clock of the caller of a page.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when the server was assembled without its state.
    pub fn of_caller(request: &HttpRequest, caller: &Caller) -> Result<Self> {
        Self::of_person(request, &caller.user)
    }

    /// Returns the clock of a person who reads a page in this browser.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) as [`Self::of_caller`].
    pub fn of_person(request: &HttpRequest, user: &User) -> Result<Self> {
        let browser = Self::of_browser(request)?;
        Ok(match user.time_zone() {
            Some(zone) => Self {
                zone,
                source: ZoneSource::Setting,
                ..browser
            },
            None => browser,
        })
    }

    /// Returns the clock of whoever reads a page in this browser, signed in or not.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) as [`Self::of_caller`].
    pub fn of_browser(request: &HttpRequest) -> Result<Self> {
        let (zone, source) = match browser_zone(request) {
            Some(zone) => (zone, ZoneSource::Browser),
            None => (TimeZone::UTC, ZoneSource::Unknown),
        };
        Ok(Self {
            now: app_state(request)?.clock.now(),
            zone,
            source,
        })
    }

    /// Returns the first moment of the reader's day.
    #[must_use]
    pub fn today(self) -> Timestamp {
        self.zone.day_start(self.now)
    }

    /// Returns the reader's clock at another time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}

/// Returns the zone of the browser, as its cookie says; `None` where that names no zone.
#[must_use]
pub fn browser_zone(request: &HttpRequest) -> Option<TimeZone> {
    let received = ReceivedCookies::of(request);
    let mut values = received.values(OwnCookie::Zone).iter();
    values.find_map(|value| TimeZone::find(value))
}
