//! CSRF tokens: a form carries one that only a page for the same session could contain (OWASP CSRF
//! Prevention Cheat Sheet, HMAC-based token pattern).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::keys::{KeyRing, MacKeys, Purpose};

/// The keys of CSRF tokens.
pub struct CsrfKey(MacKeys);

impl CsrfKey {
    /// Returns the keys of CSRF tokens in `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        Self(ring.mac_keys(Purpose::CsrfToken))
    }

    /// Returns the token for `binding`.
    pub(super) fn token(&self, binding: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(&[binding.as_bytes()]))
    }

    /// Verifies a token. Compares in constant time.
    ///
    /// # Errors
    /// [`Error::CsrfMismatch`] when it is not the token for `binding`.
    pub(super) fn verify(&self, binding: &str, token: &str) -> Result<()> {
        let token = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Error::CsrfMismatch)?;
        match self.0.verify(&[binding.as_bytes()], &token) {
            true => Ok(()),
            false => Err(Error::CsrfMismatch),
        }
    }
}
