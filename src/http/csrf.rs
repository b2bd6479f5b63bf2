//! CSRF tokens: a form carries one that only a page for the same session, or for the same browser
//! where nobody is signed in, could contain (OWASP CSRF Prevention Cheat Sheet, HMAC-based token
//! pattern).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::db::SessionId;
use crate::devices::DeviceId;
use crate::error::{Error, Result};
use crate::keys::{KeyRing, MacKeys, Purpose};

/// Bytes of the digest of a browser's id.
const DIGEST_BYTES: usize = 16;

/// The keys of CSRF tokens.
pub struct CsrfKey(MacKeys);

/// Which browser a genuine token was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenBrowser {
    /// The one that sent it.
    Same,
    /// Another one; or the same, before it got the device cookie that it has now.
    Another,
}

impl CsrfKey {
    /// Returns the keys of CSRF tokens in `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        Self(ring.mac_keys(Purpose::CsrfToken))
    }

    /// Returns the token of a session's forms.
    pub(super) fn session_token(&self, session: SessionId) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(&[format!("session {session}").as_bytes()]))
    }

    /// Verifies the token of a session's form. Compares in constant time.
    ///
    /// # Errors
    /// [`Error::CsrfMismatch`] when it is not that of `session`.
    pub(super) fn verify_session_token(&self, session: SessionId, token: &str) -> Result<()> {
        let token = decode(token)?;
        let text = format!("session {session}");
        match self.0.verify(&[text.as_bytes()], &token) {
            true => Ok(()),
            false => Err(Error::CsrfMismatch),
        }
    }

    /// Returns the token of the forms of a browser in which nobody is signed in. It contains a
    /// digest of the browser's id, so that it can be told from a forged one when the browser has
    /// another id by then.
    pub(super) fn browser_token(&self, browser: &DeviceId) -> String {
        let digest = digest(browser);
        let code = self.0.sign(&[b"browser ", &digest]);
        URL_SAFE_NO_PAD.encode([digest.as_slice(), &code].concat())
    }

    /// Verifies the token of a browser's form, and returns for which browser it was made.
    ///
    /// # Errors
    /// [`Error::CsrfMismatch`] when it is not genuine.
    pub(super) fn verify_browser_token(
        &self,
        browser: &DeviceId,
        token: &str,
    ) -> Result<TokenBrowser> {
        let token = decode(token)?;
        let (made_for, code) = token
            .split_at_checked(DIGEST_BYTES)
            .ok_or(Error::CsrfMismatch)?;
        if !self.0.verify(&[b"browser ", made_for], code) {
            return Err(Error::CsrfMismatch);
        }
        // The digest is no secret: it stands in the page.
        Ok(match made_for == digest(browser).as_slice() {
            true => TokenBrowser::Same,
            false => TokenBrowser::Another,
        })
    }
}

fn decode(token: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| Error::CsrfMismatch)
}

fn digest(browser: &DeviceId) -> [u8; DIGEST_BYTES] {
    let whole: [u8; 32] = Sha256::digest(browser.as_str()).into();
    let mut start = [0; DIGEST_BYTES];
    start.copy_from_slice(&whole[..DIGEST_BYTES]);
    start
}
