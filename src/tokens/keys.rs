//! The service's keys, from the configuration or the secrets file. There is no built-in default.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use hkdf::Hkdf;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use sha2::Sha256;

use super::secrets::SecretsFile;
use crate::clock::Timestamp;
use crate::error::{Error, Failure, Result};
use crate::settings::Settings;

/// The bytes of a derived key.
const DERIVED_BYTES: usize = 64;
/// The least random bytes of a cookie key.
const MIN_BYTES: usize = 32;
/// A replaced signing key is stored at least this much longer than its tokens are valid, for clocks
/// that differ.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// A key derived for one purpose. Its memory is overwritten when it is dropped.
pub type DerivedKey = SecretBox<[u8; DERIVED_BYTES]>;

/// The cookie key, which those of cookies, forms, links, refresh tokens and network digests are
/// derived from, and the signing keys of access tokens.
pub struct Keys {
    cookie_key: SecretSlice<u8>,
    /// Newest first, never empty.
    signing_keys: Vec<SigningKey>,
}

impl Keys {
    /// Returns the keys of the configuration and, where it sets none, of the secrets file, which is
    /// created with new keys if it doesn't exist.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a key is malformed; [`Error::Secrets`] when the file can't be
    /// read, parsed or created.
    pub fn load(settings: &Settings, now: Timestamp) -> Result<Self> {
        if let (Some(cookie), Some(signing)) = (&settings.cookie_key, &settings.signing_key) {
            return Self::decode(cookie, &[signing]);
        }
        let file = SecretsFile::read_or_create(&settings.secrets_path(), *now)?;
        let stored: Vec<&SecretString> = file.signing_keys.iter().map(|key| &key.key).collect();
        let signing = settings.signing_key.as_ref().map(|key| vec![key]);
        Self::decode(
            settings.cookie_key.as_ref().unwrap_or(&file.cookie_key),
            &signing.unwrap_or(stored),
        )
    }

    /// Adds a signing key to the secrets file, which signs from then on, and deletes those whose
    /// tokens have all expired. Returns how many the file then contains. Running servers reload
    /// them.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the configuration sets the signing key; [`Error::Secrets`]
    /// when the file can't be read, parsed or written.
    pub fn rotate(settings: &Settings, now: Timestamp) -> Result<usize> {
        if settings.signing_key.is_some() {
            return Err(Error::Configuration(Failure::because(
                "the signing key is given by the configuration (signing_key); change it there",
            )));
        }
        let path: &Path = &settings.secrets_path();
        let mut file = SecretsFile::read_or_create(path, *now)?;
        file.rotate(*now, *(now - settings.tokens.access_lifetime - MARGIN))?;
        file.replace(path)?;
        Ok(file.signing_keys.len())
    }

    fn decode(cookie_key: &SecretString, signing_keys: &[&SecretString]) -> Result<Self> {
        Ok(Self {
            cookie_key: decode_cookie_key(cookie_key.expose_secret())?,
            signing_keys: signing_keys
                .iter()
                .map(|key| decode_signing_key(key.expose_secret()))
                .collect::<Result<_>>()?,
        })
    }

    /// Returns the key of the session cookie.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be derived.
    pub fn session_cookie_key(&self) -> Result<DerivedKey> {
        self.derive(b"rollcall session cookie v1")
    }

    /// Returns the key of CSRF tokens.
    ///
    /// # Errors
    /// As [`Keys::session_cookie_key`].
    pub fn csrf_key(&self) -> Result<DerivedKey> {
        self.derive(b"rollcall form token v1")
    }

    /// Returns the key of the links in e-mails.
    ///
    /// # Errors
    /// As [`Keys::session_cookie_key`].
    pub fn alert_link_key(&self) -> Result<DerivedKey> {
        self.derive(b"rollcall e-mail link v1")
    }

    /// Returns the key of the digests of networks.
    ///
    /// # Errors
    /// As [`Keys::session_cookie_key`].
    pub fn network_key(&self) -> Result<DerivedKey> {
        self.derive(b"rollcall network digest v1")
    }

    /// Returns the key of refresh tokens. It is symmetric, so that only the service can verify
    /// them: a resource server that doesn't check `typ` can't accept one as an access token.
    pub(super) fn refresh_token_key(&self) -> Result<DerivedKey> {
        self.derive(b"rollcall refresh token v1")
    }

    pub(super) fn signing_keys(&self) -> &[SigningKey] {
        &self.signing_keys
    }

    /// Derives the key of a purpose by HKDF (RFC 5869), so that no two purposes share one.
    fn derive(&self, purpose: &[u8]) -> Result<DerivedKey> {
        let mut key = Box::new([0; DERIVED_BYTES]);
        Hkdf::<Sha256>::new(None, self.cookie_key.expose_secret())
            .expand(purpose, key.as_mut())
            .map_err(|err| Error::Internal(Failure::new("a key could not be derived", err)))?;
        Ok(SecretBox::new(key))
    }
}

fn decode_cookie_key(text: &str) -> Result<SecretSlice<u8>> {
    match STANDARD.decode(text.trim()) {
        Ok(key) if key.len() >= MIN_BYTES => Ok(key.into()),
        _ => Err(Error::Configuration(
            format!("cookie_key must be Base64 of at least {MIN_BYTES} random bytes").into(),
        )),
    }
}

fn decode_signing_key(text: &str) -> Result<SigningKey> {
    let der = STANDARD.decode(text.trim()).ok().map(Zeroizing::new);
    der.and_then(|der| SigningKey::from_pkcs8_der(&der).ok())
        .ok_or_else(|| {
            Error::Configuration(Failure::because(
                "signing_key must be Base64 of an Ed25519 private key in PKCS#8 DER",
            ))
        })
}
