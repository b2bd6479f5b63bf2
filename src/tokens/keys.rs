//! The service's keys, from the configuration or the secrets file. There is no built-in default.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use hkdf::Hkdf;
use sha2::Sha256;

use super::secrets::SecretsFile;
use crate::db::Timestamp;
use crate::error::{Error, Result};
use crate::settings::{Secret, Settings};

/// Bytes of a derived key.
const DERIVED: usize = 64;
/// Bytes of randomness a cookie key must bring at least.
const LEAST: usize = 32;
/// A signing key that was followed stays for longer than what it signed: for clocks that differ.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// The key that everything kept by a client is sealed with, and the keys of access tokens.
pub struct Keys {
    cookie_key: Vec<u8>,
    /// Newest first, never empty.
    signing_keys: Vec<SigningKey>,
}

impl Keys {
    /// The keys of the configuration; for what it doesn't give, those of the secrets file, which is
    /// made if it isn't there.
    ///
    /// # Errors
    /// [`Error::Startup`] when a key is malformed or the file can't be read or made.
    pub fn load(settings: &Settings, now: Timestamp) -> Result<Self> {
        if let (Some(cookie), Some(signing)) = (&settings.cookie_key, &settings.signing_key) {
            return Self::decode(cookie.reveal(), &[signing.reveal()]);
        }
        let file = SecretsFile::read_or_create(&settings.secrets_path(), *now)?;
        let kept: Vec<&str> = file
            .signing_keys
            .iter()
            .map(|kept| kept.key.as_str())
            .collect();
        let cookie = settings.cookie_key.as_ref().map(Secret::reveal);
        let signing = settings.signing_key.as_ref().map(Secret::reveal);
        Self::decode(
            cookie.unwrap_or(&file.cookie_key),
            signing.map(|key| vec![key]).unwrap_or(kept).as_slice(),
        )
    }

    /// Adds a signing key to the secrets file, which signs from then on. Answers how many the file
    /// has then. Running servers see it by themselves.
    ///
    /// # Errors
    /// [`Error::Startup`] when the configuration gives the key, or the file can't be written.
    pub fn rotate(settings: &Settings, now: Timestamp) -> Result<usize> {
        if settings.signing_key.is_some() {
            return Err(Error::Startup(
                "the signing key is given by the configuration (signing_key); change it there"
                    .into(),
            ));
        }
        let path: &Path = &settings.secrets_path();
        let mut file = SecretsFile::read_or_create(path, *now)?;
        file.rotate(*now, *(now - settings.tokens.access_lifetime - MARGIN))?;
        file.replace(path)?;
        Ok(file.signing_keys.len())
    }

    fn decode(cookie_key: &str, signing_keys: &[&str]) -> Result<Self> {
        Ok(Self {
            cookie_key: decode_cookie_key(cookie_key)?,
            signing_keys: signing_keys
                .iter()
                .map(|text| decode_signing_key(text))
                .collect::<Result<_>>()?,
        })
    }

    /// The key of the session cookie.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be derived.
    pub fn for_cookies(&self) -> Result<[u8; DERIVED]> {
        self.derive(b"rollcall session cookie v1")
    }

    /// The key of form tokens.
    ///
    /// # Errors
    /// As [`Keys::for_cookies`].
    pub fn for_forms(&self) -> Result<[u8; DERIVED]> {
        self.derive(b"rollcall form token v1")
    }

    /// The key of the links in e-mails.
    ///
    /// # Errors
    /// As [`Keys::for_cookies`].
    pub fn for_links(&self) -> Result<[u8; DERIVED]> {
        self.derive(b"rollcall e-mail link v1")
    }

    /// The key of refresh tokens. Nobody but us reads them, so nobody else can check them: a
    /// resource server that forgets to look at `typ` can't take one for an access token.
    pub(super) fn for_refresh_tokens(&self) -> Result<[u8; DERIVED]> {
        self.derive(b"rollcall refresh token v1")
    }

    pub(super) fn signing_keys(&self) -> &[SigningKey] {
        &self.signing_keys
    }

    /// HKDF (RFC 5869), so that no two purposes share a key.
    fn derive(&self, purpose: &[u8]) -> Result<[u8; DERIVED]> {
        let mut key = [0; DERIVED];
        Hkdf::<Sha256>::new(None, &self.cookie_key)
            .expand(purpose, &mut key)
            .map_err(|fault| Error::Internal(format!("a key could not be derived: {fault}")))?;
        Ok(key)
    }
}

fn decode_cookie_key(text: &str) -> Result<Vec<u8>> {
    match STANDARD.decode(text.trim()) {
        Ok(key) if key.len() >= LEAST => Ok(key),
        _ => Err(Error::Startup(format!(
            "cookie_key must be Base64 of at least {LEAST} random bytes"
        ))),
    }
}

fn decode_signing_key(text: &str) -> Result<SigningKey> {
    let der = STANDARD.decode(text.trim()).ok();
    der.and_then(|der| SigningKey::from_pkcs8_der(&der).ok())
        .ok_or_else(|| {
            Error::Startup(
                "signing_key must be Base64 of an Ed25519 private key in PKCS#8 DER".into(),
            )
        })
}
