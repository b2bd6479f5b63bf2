//! The keys in use, which change while the service runs: everything that seals, signs, opens or
//! verifies gets them here, so that a change of the secrets file applies everywhere at once.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::file::{self, Access};
use super::key::{CookieKey, Purpose};
use super::snapshot::{Keys, Source};
use crate::clock::{Clock, Timestamp};
use crate::error::{Chain, Result};
use crate::settings::Settings;

/// The longest time for which a link in a message is of use.
const MESSAGE_LINK_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The keys in use; clones share them.
#[derive(Clone)]
pub struct KeyRing(Arc<Shared>);

struct Shared {
    source: Source,
    clock: Clock,
    keys: RwLock<Arc<Keys>>,
    file: Mutex<FileState>,
}

/// The last state of the secrets file, so that each change of it is logged once.
struct FileState {
    /// Why the file can't be used, if so.
    problem: Option<String>,
    access: Access,
}

impl KeyRing {
    /// Loads the keys of the configuration and of the secrets file, which must exist.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) when a key of the configuration is
    /// malformed; [`Error::Secrets`](crate::Error::Secrets) when the file can't be read, or is not
    /// a secrets file, or not a whole one.
    pub fn load(settings: &Settings, clock: Clock) -> Result<Self> {
        let source = Source::from_settings(settings);
        let (keys, access) = source.load()?;
        file::warn_of(access, &source.path);
        Ok(Self(Arc::new(Shared {
            source,
            clock,
            keys: RwLock::new(Arc::new(keys)),
            file: Mutex::new(FileState {
                problem: None,
                access,
            }),
        })))
    }

    /// Loads the keys again. When the file can't be read or is not a whole secrets file, the keys
    /// stay as they are; that is logged once, and once when the file is good again. Nothing is
    /// written. Returns whether links in messages may be void now: whether a key is gone that was in
    /// use lately.
    pub fn reload(&self) -> bool {
        let shared = &*self.0;
        let mut file = shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        let path = shared.source.path.display();
        match shared.source.load() {
            Ok((keys, access)) => {
                if file.problem.take().is_some() {
                    tracing::info!(%path, "the secrets file is good again");
                }
                if file.access != access {
                    file::warn_of(access, &shared.source.path);
                    file.access = access;
                }
                self.replace(keys)
            }
            Err(err) => {
                let problem = Chain(&err).to_string();
                if file.problem.as_ref() != Some(&problem) {
                    tracing::warn!(error = %problem, "the secrets file can't be used; the keys stay as they are");
                }
                file.problem = Some(problem);
                false
            }
        }
    }

    fn replace(&self, keys: Keys) -> bool {
        let before = self.current();
        if before.is_same(&keys) {
            return false;
        }
        let since = self.now() - MESSAGE_LINK_LIFETIME;
        let is_there = |key: &CookieKey| keys.cookie.iter().any(|other| other.id() == key.id());
        let voids_links = before.cookie.used_since(since).any(|key| !is_there(key));
        let (signing, cookie) = (keys.signing.count(), keys.cookie.count());
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        tracing::info!(
            signing_keys = signing,
            cookie_keys = cookie,
            "the keys have changed"
        );
        voids_links
    }

    /// Returns the keys of this moment.
    #[must_use]
    pub fn current(&self) -> Arc<Keys> {
        self.0
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the time by which the key in use is chosen.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns whether the secrets file was good when it was last read.
    #[must_use]
    pub fn is_file_good(&self) -> bool {
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.problem.is_none()
    }

    /// Returns the keys of message authentication codes for `purpose`.
    #[must_use]
    pub fn mac_keys(&self, purpose: Purpose) -> MacKeys {
        MacKeys {
            ring: self.clone(),
            purpose,
        }
    }
}

/// Makes and verifies message authentication codes (HMAC-SHA-256) for one purpose. One key signs,
/// all of them verify.
#[derive(Clone)]
pub struct MacKeys {
    ring: KeyRing,
    purpose: Purpose,
}

impl MacKeys {
    /// Returns the code of the concatenated `parts`, by the key in use.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let keys = self.ring.current();
        let mac = self.mac(keys.cookie.in_use(self.ring.now()), parts);
        mac.finalize().into_bytes().into()
    }

    /// Returns whether `code` is that of the concatenated `parts`, by any of the keys. Compares in
    /// constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        let keys = self.ring.current();
        keys.cookie
            .iter()
            .any(|key| self.mac(key, parts).verify_slice(code).is_ok())
    }

    fn mac(&self, key: &CookieKey, parts: &[&[u8]]) -> Hmac<Sha256> {
        let key = key.derived(self.purpose).expose_secret();
        let mut mac = Hmac::<Sha256>::new(key.into());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}
