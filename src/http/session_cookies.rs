//! The encryption of the session cookie by several keys. `actix-session` takes one key for the life
//! of the process, so within the process it has a random one: a cookie that any of the service's
//! keys opens is sealed again for it, and the cookie that it sets is sealed by the key in use.
//!
//! A cookie that an old key sealed stays as it is until the next response that sets it.

use actix_web::cookie::{Cookie, CookieJar, Key};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;

use crate::error::{Error, Failure, Result};
use crate::keys::{CookieKey, KeyRing, Purpose};

/// Opens and seals session cookies.
pub struct SessionCookies {
    ring: KeyRing,
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
        Ok(Self { ring, inner })
    }

    /// Returns the key of `actix-session`, which no cookie of a browser is sealed with.
    #[must_use]
    pub fn inner_key(&self) -> Key {
        self.inner.clone()
    }

    /// Replaces the request's cookie called `name`, or leaves it out when no key opens it. Of
    /// several, only the first is used, as by `actix-session`: the work stays bounded.
    pub fn reseal_request(&self, headers: &mut HeaderMap, name: &str) {
        let values: Vec<HeaderValue> = headers.remove(header::COOKIE).collect();
        let mut is_first = true;
        for value in values {
            // `actix-web` ignores other bytes as well.
            let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
                headers.append(header::COOKIE, value);
                continue;
            };
            let mut resealed = |pair: &str| match Cookie::parse_encoded(pair.to_owned()) {
                Ok(cookie) if cookie.name() == name => std::mem::take(&mut is_first)
                    .then(|| self.for_request(cookie))
                    .flatten()
                    .map(|cookie| cookie.encoded().stripped().to_string()),
                _ => Some(pair.to_owned()),
            };
            let pairs: Vec<String> = text
                .split(';')
                .filter_map(|pair| resealed(pair.trim()))
                .collect();
            if let Ok(value) = HeaderValue::from_bytes(pairs.join("; ").as_bytes()) {
                headers.append(header::COOKIE, value);
            }
        }
    }

    /// Seals the cookie called `name` that the response sets, if any, for the browser.
    pub fn reseal_response(&self, headers: &mut HeaderMap, name: &str) {
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

    /// Returns the cookie of a browser, sealed for `actix-session`; `None` when no key opens it.
    fn for_request(&self, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        let keys = self.ring.current();
        let mut opened = keys
            .cookie
            .iter()
            .filter_map(|key| open(cookie.clone(), &outer(key)));
        Some(seal(opened.next()?, &self.inner))
    }

    /// Returns a cookie that `actix-session` set, sealed for the browser; `None` for one without a
    /// value, which removes the cookie.
    fn for_browser(&self, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        let opened = open(cookie, &self.inner)?;
        let keys = self.ring.current();
        Some(seal(opened, &outer(keys.cookie.in_use(self.ring.now()))))
    }
}

fn outer(key: &CookieKey) -> Key {
    Key::from(key.derived(Purpose::SessionCookie).expose_secret())
}

/// Returns the cookie with its value decrypted; `None` when `key` doesn't open it.
pub(super) fn open(cookie: Cookie<'static>, key: &Key) -> Option<Cookie<'static>> {
    CookieJar::new().private(key).decrypt(cookie)
}

/// Encrypts the cookie's value; its name and its attributes stay.
pub(super) fn seal(cookie: Cookie<'static>, key: &Key) -> Cookie<'static> {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.private_mut(key).add(cookie.clone());
    jar.get(&name).cloned().unwrap_or(cookie)
}
