//! CSRF tokens: a form carries one that only a page for the same session could contain (OWASP CSRF
//! Prevention Cheat Sheet, HMAC-based token pattern).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Failure, Result};

/// The key of CSRF tokens.
pub struct CsrfKey(Hmac<Sha256>);

impl CsrfKey {
    /// Returns a key of these bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when HMAC does not accept the key.
    pub fn new(key: &[u8]) -> Result<Self> {
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|err| Error::Internal(Failure::new("the key of CSRF tokens", err)))
    }

    /// Returns the token for `binding`.
    pub(super) fn token(&self, binding: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.clone().chain_update(binding).finalize().into_bytes())
    }

    /// Verifies a token. Compares in constant time.
    ///
    /// # Errors
    /// [`Error::CsrfMismatch`] when it is not the token for `binding`.
    pub(super) fn verify(&self, binding: &str, token: &str) -> Result<()> {
        let token = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Error::CsrfMismatch)?;
        self.0
            .clone()
            .chain_update(binding)
            .verify_slice(&token)
            .map_err(|_| Error::CsrfMismatch)
    }
}
