//! The session cookie between the browser and `actix-session`, which takes one key for the life of
//! the process. So within the process it has a random one: a cookie that any of the service's keys
//! opens is sealed again for it, and the cookie that it sets is sealed by the key in use.
//!
//! A cookie that an old key sealed stays as it is until the next response that sets it.

use std::collections::HashMap;

use actix_web::cookie::{Cookie, Key};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::cookie_seal::{CookieSeal, open, seal};
use crate::db::{SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::keys::{KeyRing, Purpose};
use crate::sessions::{Claim, CookieProof, Credential, Jti, Session};

/// The key of the claim in the state of `actix-session`.
pub(super) const CLAIM: &str = "claim";

/// What the session cookie says of the session.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredClaim {
    user: UserId,
    session: SessionId,
    jti: String,
    /// Whether the cookie was set for this host alone. Those of earlier versions don't say so.
    #[serde(default)]
    is_host_only: bool,
    /// Whether it outlives the browser's window; earlier versions don't say so.
    #[serde(default)]
    is_remembered: Option<bool>,
}

impl StoredClaim {
    /// Returns the claim to `session`, for a cookie of this host alone.
    pub(super) fn to(session: &Session) -> Self {
        Self {
            user: session.user_id,
            session: session.id,
            jti: session.jti().as_str().to_owned(),
            is_host_only: true,
            is_remembered: Some(session.is_remembered),
        }
    }

    pub(super) fn user(&self) -> UserId {
        self.user
    }

    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    pub(super) fn jti(&self) -> Jti {
        Jti::claimed(self.jti.clone())
    }

    /// Returns whether the cookie was set for this host alone.
    pub(super) fn is_host_only(&self) -> bool {
        self.is_host_only
    }

    /// Returns the claim, to be resolved, with what the bound cookie beside it proves.
    pub(super) fn to_claim(&self, proof: CookieProof) -> Claim {
        Claim {
            user: self.user,
            session: self.session,
            credential: Credential::Cookie {
                jti: self.jti(),
                proof,
            },
        }
    }
}

/// A session cookie that one of the service's keys opened.
pub(super) struct OpenedCookie {
    cookie: Cookie<'static>,
    /// What it says of the session; `None` for a cookie of somebody who is not signed in.
    pub(super) claim: Option<StoredClaim>,
}

/// Opens and seals session cookies.
pub struct SessionCookies {
    outer: CookieSeal,
    inner: Key,
}

impl SessionCookies {
    /// Returns session cookies that the keys of `ring` open and seal.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub fn new(ring: KeyRing) -> Result<Self> {
        let inner = Key::try_generate().ok_or(Error::Internal(Failure::because(
            "the system has no randomness",
        )))?;
        let outer = CookieSeal::new(ring, Purpose::SessionCookie);
        Ok(Self { outer, inner })
    }

    /// Returns the key of `actix-session`, which no cookie of a browser is sealed with.
    #[must_use]
    pub fn inner_key(&self) -> Key {
        self.inner.clone()
    }

    /// Opens a cookie of the browser; `None` when no key does.
    pub(super) fn open(&self, name: &str, value: &str) -> Option<OpenedCookie> {
        let cookie = self.outer.open_received(name, value)?;
        let claim = claim_in(cookie.value());
        Some(OpenedCookie { cookie, claim })
    }

    /// Returns the header that brings an opened cookie to `actix-session`.
    pub(super) fn for_request(&self, opened: OpenedCookie) -> Option<HeaderValue> {
        let sealed = seal(opened.cookie, &self.inner);
        HeaderValue::from_str(&sealed.encoded().stripped().to_string()).ok()
    }

    /// Seals the cookie called `name` that the response sets, if any, for the browser.
    pub(super) fn reseal_response(&self, headers: &mut HeaderMap, name: &str) {
        let values: Vec<HeaderValue> = headers.remove(header::SET_COOKIE).collect();
        for value in values {
            let parsed = value
                .to_str()
                .ok()
                .and_then(|text| Cookie::parse_encoded(text.to_owned()).ok());
            let sealed = parsed
                .filter(|cookie| cookie.name() == name)
                .and_then(|cookie| self.for_browser(cookie))
                .map(|cookie| cookie.encoded().to_string())
                .and_then(|text| HeaderValue::from_str(&text).ok());
            headers.append(header::SET_COOKIE, sealed.unwrap_or(value));
        }
    }

    /// Returns a cookie that `actix-session` set, sealed for the browser; `None` for one without a
    /// value, which removes the cookie. Without "Keep me signed in" it expires when the browser
    /// closes: `actix-session` has one lifetime for all cookies.
    fn for_browser(&self, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        let mut opened = open(cookie, &self.inner)?;
        let is_remembered =
            claim_in(opened.value()).is_some_and(|claim| claim.is_remembered.unwrap_or(true));
        if !is_remembered {
            opened.set_max_age(None);
        }
        Some(self.outer.seal(opened))
    }
}

/// Returns the claim in a cookie's value: `actix-session` stores its state as a JSON object of
/// strings, each of them JSON.
fn claim_in(value: &str) -> Option<StoredClaim> {
    let state: HashMap<String, String> = serde_json::from_str(value).ok()?;
    serde_json::from_str(state.get(CLAIM)?).ok()
}
