//! The encryption of cookies by the service's keys: the key in use seals, all of them open.

use actix_web::cookie::{Cookie, CookieJar, Key};
use secrecy::ExposeSecret;

use crate::keys::{CookieKey, KeyRing, Purpose};

/// Seals and opens the cookies of one purpose.
pub struct CookieSeal {
    ring: KeyRing,
    purpose: Purpose,
}

impl CookieSeal {
    /// Returns the seal of `purpose`, with the keys of `ring`.
    #[must_use]
    pub fn new(ring: KeyRing, purpose: Purpose) -> Self {
        Self { ring, purpose }
    }

    /// Encrypts the cookie's value; its name, which is authenticated with it, and its attributes
    /// stay.
    #[must_use]
    pub fn seal(&self, cookie: Cookie<'static>) -> Cookie<'static> {
        let keys = self.ring.current();
        seal(cookie, &self.derived(keys.cookie.in_use(self.ring.now())))
    }

    /// Returns the cookie with its value decrypted; `None` when no key opens it.
    #[must_use]
    pub fn open(&self, cookie: &Cookie<'static>) -> Option<Cookie<'static>> {
        let keys = self.ring.current();
        keys.cookie
            .iter()
            .find_map(|key| open(cookie.clone(), &self.derived(key)))
    }

    /// Returns the cookie of a request, whose value is as it was sent, with its value decrypted;
    /// `None` when no key opens it.
    #[must_use]
    pub fn open_received(&self, name: &str, value: &str) -> Option<Cookie<'static>> {
        let cookie = Cookie::parse_encoded(format!("{name}={value}")).ok()?;
        self.open(&cookie)
    }

    fn derived(&self, key: &CookieKey) -> Key {
        Key::from(key.derived(self.purpose).expose_secret())
    }
}

/// Decrypts the cookie's value, if this key encrypted it.
pub(super) fn open(cookie: Cookie<'static>, key: &Key) -> Option<Cookie<'static>> {
    CookieJar::new().private(key).decrypt(cookie)
}

/// Encrypts the cookie's value by this key.
pub(super) fn seal(cookie: Cookie<'static>, key: &Key) -> Cookie<'static> {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.private_mut(key).add(cookie.clone());
    jar.get(&name).cloned().unwrap_or(cookie)
}
