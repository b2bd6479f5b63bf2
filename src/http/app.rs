//! What the handlers work with, put together once at start.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::forms::FormKey;
use super::target::AllowedHosts;
use crate::alerts::{Alerts, Links};
use crate::api_keys::ApiKeys;
use crate::clock::Clock;
use crate::db::Db;
use crate::devices::address::TrustedProxies;
use crate::devices::{DeviceParser, EdgeHeaders, Places};
use crate::error::{Error, Result};
use crate::events::Changes;
use crate::people::People;
use crate::sessions::{Jti, Sessions};
use crate::tokens::Tokens;

/// The service's parts.
pub struct App {
    /// The one source of time.
    pub clock: Clock,
    /// For what is no table's business: health.
    pub db: Db,
    /// The accounts.
    pub people: People,
    /// The keys of applications.
    pub api_keys: ApiKeys,
    /// The sessions.
    pub sessions: Sessions,
    /// What people should hear of at once.
    pub alerts: Alerts,
    /// The links in e-mails.
    pub links: Arc<Links>,
    /// What changes, as it happens.
    pub changes: Changes,
    /// The tokens of the API.
    pub tokens: Arc<Tokens>,
    /// Reads user agents.
    pub devices: DeviceParser,
    /// Knows where addresses are.
    pub places: Arc<Places>,
    /// Where a trusted proxy tells the place.
    pub edge_headers: EdgeHeaders,
    /// Whose word about the client's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// Where sign-in may lead back to.
    pub allowed_hosts: AllowedHosts,
    /// The domain whose hosts all get the session cookie, if not this host alone.
    pub cookie_domain: Option<String>,
    /// Seals forms.
    pub form_key: FormKey,
    /// Whether anybody may make an account.
    pub sign_up: bool,
    /// Whether people reach the service over HTTPS.
    pub is_https: bool,
    /// The way to the first administrator.
    pub setup: SetupLink,
}

/// The one-time link by which the first administrator is made.
#[derive(Default)]
pub struct SetupLink(Mutex<Option<[u8; 32]>>);

impl SetupLink {
    /// Opens the link and answers with its token.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness to give.
    pub fn open(&self) -> Result<String> {
        let token = Jti::random()?.as_str().to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Sha256::digest(&token).into());
        Ok(token)
    }

    /// # Errors
    /// [`Error::NotFound`] when this is not the token, or it was used.
    pub fn check(&self, token: &str) -> Result<()> {
        let expected = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Digests are compared, so how long that takes tells nothing of the token.
        match expected == Some(Sha256::digest(token).into()) {
            true => Ok(()),
            false => Err(Error::NotFound),
        }
    }

    /// Closes the link for good.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
