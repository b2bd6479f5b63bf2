//! The encryption of the notice cookie, and which notices were shown lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::cookie::{Cookie, Key};
use secrecy::ExposeSecret;

use super::session_cookies::{open, seal};
use crate::clock::Timestamp;
use crate::keys::{CookieKey, KeyRing, Purpose};

/// Ids of shown notices that are remembered at most. One more is shown all the same, and could be
/// shown again by a request that was on its way.
const MAX_SHOWN: usize = 10_000;

/// Opens and seals notice cookies, and remembers which notices were shown.
pub struct NoticeCookies {
    ring: KeyRing,
    /// The ids of shown notices, with the time until which they could be shown.
    shown: Mutex<HashMap<String, Timestamp>>,
}

impl NoticeCookies {
    /// Returns notice cookies that the keys of `ring` open and seal.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self {
            ring,
            shown: Mutex::default(),
        }
    }

    /// Encrypts the cookie's value; its name and its attributes stay.
    pub(super) fn seal(&self, cookie: Cookie<'static>) -> Cookie<'static> {
        let keys = self.ring.current();
        seal(cookie, &key_of(keys.cookie.in_use(self.ring.now())))
    }

    /// Returns the cookie's decrypted value; `None` when no key opens it.
    pub(super) fn open(&self, cookie: &Cookie<'static>) -> Option<String> {
        let keys = self.ring.current();
        let mut opened = keys
            .cookie
            .iter()
            .filter_map(|key| open(cookie.clone(), &key_of(key)));
        Some(opened.next()?.value().to_owned())
    }

    /// Records that the notice `id`, which can be shown until `until`, is shown. Returns whether
    /// this is the first time: of two tabs that load at once, only one shows it.
    pub(super) fn record_shown(&self, id: String, until: Timestamp) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.contains_key(&id) {
            return false;
        }
        if shown.len() >= MAX_SHOWN {
            let now = self.ring.now();
            shown.retain(|_, until| *until > now);
        }
        if shown.len() < MAX_SHOWN {
            shown.insert(id, until);
        }
        true
    }
}

fn key_of(key: &CookieKey) -> Key {
    Key::from(key.derived(Purpose::NoticeCookie).expose_secret())
}
