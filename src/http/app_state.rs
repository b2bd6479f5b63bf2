//! The state that handlers work with, assembled once at start.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpRequest, web};
use sha2::{Digest, Sha256};

use super::cookie_seal::CookieSeal;
use super::cookies::CookieConfig;
use super::csrf::CsrfKey;
use super::notice_cookies::NoticeCookies;
use super::session_cookies::SessionCookies;
use super::site::SiteLook;
use super::target::AllowedHosts;
use crate::account::{Accounts, RefusalRecorder};
use crate::alerts::Alerts;
use crate::applications::Applications;
use crate::clock::Clock;
use crate::db::Db;
use crate::devices::Devices;
use crate::error::{Error, Failure, Result};
use crate::events::{Changes, EventRetention};
use crate::geo::{EdgeHeaders, Places};
use crate::keys::KeyRing;
use crate::mail::MessageLinks;
use crate::net::{IpRetention, TrustedProxies};
use crate::overview::Overview;
use crate::people::{NewAccount, People};
use crate::sessions::Sessions;
use crate::text;
use crate::throttles::Throttles;
use crate::tokens::Tokens;
use crate::user_agent::ParserThread;

/// Random bytes of a setup link's token.
const SETUP_TOKEN_BYTES: usize = 24;

/// The services and settings that handlers use.
pub struct AppState {
    /// The one source of time.
    pub clock: Clock,
    /// The database, for health checks and events.
    pub db: Db,
    /// Accounts with their sessions and alerts.
    pub accounts: Accounts,
    /// People and their passwords.
    pub people: People,
    /// Applications and their API keys.
    pub applications: Applications,
    /// How many tries are allowed.
    pub throttles: Throttles,
    /// Sessions.
    pub sessions: Sessions,
    /// The known devices of each person.
    pub devices: Devices,
    /// How the service is doing.
    pub overview: Overview,
    /// Alerts.
    pub alerts: Alerts,
    /// The links in messages.
    pub links: Arc<MessageLinks>,
    /// The changes that open pages are notified of.
    pub changes: Changes,
    /// What records refused requests.
    pub refusals: RefusalRecorder,
    /// The retention of events.
    pub event_retention: EventRetention,
    /// The tokens of the API.
    pub tokens: Arc<Tokens>,
    /// The parser of user agents.
    pub device_parser: ParserThread,
    /// The place databases.
    pub places: Arc<Places>,
    /// The headers in which a trusted proxy states a place.
    pub edge_headers: EdgeHeaders,
    /// The proxies whose headers are trusted.
    pub trusted_proxies: TrustedProxies,
    /// How much of a client's address the log has at most.
    pub log_addresses: IpRetention,
    /// The hosts that sign-in may lead back to.
    pub allowed_hosts: AllowedHosts,
    /// The names and the attributes of cookies.
    pub cookies: CookieConfig,
    /// The keys in use.
    pub keys: KeyRing,
    /// The keys of CSRF tokens.
    pub csrf_key: CsrfKey,
    /// How long the link of a forgotten password is valid.
    pub reset_lifetime: Duration,
    /// Opens and seals session cookies.
    pub session_cookies: SessionCookies,
    /// The keys of notice cookies, and the notices that were shown.
    pub notice_cookies: NoticeCookies,
    /// Opens and seals the cookies of forward-auth.
    pub forward_seal: CookieSeal,
    /// Opens and seals device cookies.
    pub device_seal: CookieSeal,
    /// Opens and seals the marks of the way on from sign-in.
    pub onward_seal: CookieSeal,
    /// The name and the look of the service.
    pub site: Arc<SiteLook>,
    /// The sample people that a visitor may sign in as; none outside the demo.
    pub sample_people: Vec<SamplePerson>,
    /// Opens and seals the forms that are to be shown again.
    pub form_seal: CookieSeal,
    /// Whether anybody may create an account.
    pub sign_up: bool,
    /// The URL at which people reach the service, without a trailing slash.
    pub origin: String,
    /// Whether people reach the service over HTTPS.
    pub is_https: bool,
    /// The link that creates the first administrator.
    pub setup: SetupLink,
}

/// One of the demo's people.
#[derive(Debug, Clone)]
pub struct SamplePerson {
    /// Their account, as it is created: again, if a visitor deleted it.
    pub account: NewAccount,
    /// What the account shows.
    pub about: &'static str,
}

impl SamplePerson {
    /// Returns the e-mail.
    #[must_use]
    pub fn email(&self) -> &str {
        self.account.email.as_str()
    }

    /// Returns the first name, or else the e-mail.
    #[must_use]
    pub fn name(&self) -> &str {
        let full_name = self.account.full_name.as_ref();
        let first = full_name.and_then(|name| name.as_str().split(' ').next());
        first.unwrap_or_else(|| self.email())
    }
}

/// Returns the state of the server that received the request.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without it.
pub fn app_state(request: &HttpRequest) -> Result<&web::Data<AppState>> {
    request
        .app_data::<web::Data<AppState>>()
        .ok_or_else(|| Error::Internal(Failure::because("the application has no state")))
}

/// The one-time link that creates the first administrator.
#[derive(Default)]
pub struct SetupLink(Mutex<Option<[u8; 32]>>);

impl SetupLink {
    /// Opens the link and returns its token, which replaces any former one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system can't provide random bytes.
    pub fn open(&self) -> Result<String> {
        let token = text::random::<SETUP_TOKEN_BYTES>()?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Sha256::digest(&token).into());
        Ok(token)
    }

    /// Verifies a token of the link.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not the current one, or the link is closed.
    pub fn verify(&self, token: &str) -> Result<()> {
        let expected = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Comparing digests takes a time that is independent of the token.
        match expected == Some(Sha256::digest(token).into()) {
            true => Ok(()),
            false => Err(Error::NotFound),
        }
    }

    /// Closes the link: no token is valid any more.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
