//! Single keys, decoded from their text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use hkdf::Hkdf;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use sha2::{Digest, Sha256};
use strum::VariantArray;

use crate::error::{Error, Failure, Result};

/// The bytes of a derived key: the block of SHA-256, which is also what a cookie's encryption and
/// signature need together.
const DERIVED_BYTES: usize = 64;
/// The least random bytes of a cookie key.
const MIN_BYTES: usize = 32;
/// The bytes of a key's id.
const ID_BYTES: usize = 12;

/// A key derived for one purpose. Its memory is overwritten when it is dropped.
pub type DerivedKey = SecretBox<[u8; DERIVED_BYTES]>;

/// What a key is derived from a cookie key for, so that no two purposes share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Purpose {
    /// Encrypting the session cookie.
    SessionCookie,
    /// Signing CSRF tokens.
    CsrfToken,
    /// Signing refresh tokens. The key is symmetric, so that only the service can verify them: a
    /// resource server that doesn't check `typ` can't accept one as an access token.
    RefreshToken,
    /// Signing the links in messages.
    MessageLink,
    /// Comparing the networks that refresh tokens were used from.
    NetworkDigest,
    /// Encrypting the notice cookie.
    NoticeCookie,
    /// Encrypting the cookie of forward-auth.
    ForwardCookie,
    /// Encrypting the mark of the way on from sign-in.
    OnwardCookie,
    /// Encrypting the device cookie.
    DeviceCookie,
    /// Digests of the addresses that tries are counted by.
    ThrottleDigest,
    /// Encrypting the cookie with a form to be shown again.
    UnsentForm,
    /// Signing the bound cookie, and the challenges for the key of a browser.
    BoundSession,
}

impl Purpose {
    /// Returns the `info` of the derivation (RFC 5869, 3.2).
    fn info(self) -> &'static [u8] {
        match self {
            Self::SessionCookie => b"rollcall session cookie v1",
            Self::CsrfToken => b"rollcall form token v1",
            Self::RefreshToken => b"rollcall refresh token v1",
            Self::MessageLink => b"rollcall e-mail link v1",
            Self::NetworkDigest => b"rollcall network digest v1",
            Self::NoticeCookie => b"rollcall notice cookie v1",
            Self::ForwardCookie => b"rollcall forward cookie v1",
            Self::OnwardCookie => b"rollcall onward cookie v1",
            Self::DeviceCookie => b"rollcall device cookie v1",
            Self::ThrottleDigest => b"rollcall throttle digest v1",
            Self::UnsentForm => b"rollcall unsent form v1",
            Self::BoundSession => b"rollcall bound session v1",
        }
    }
}

/// A cookie key, as the keys derived from it.
pub struct CookieKey {
    id: String,
    /// One for each [`Purpose`], in their order.
    derived: Vec<DerivedKey>,
}

impl CookieKey {
    /// Decodes a key in Base64.
    ///
    /// # Errors
    /// [`Error::Configuration`] when it is malformed or too short.
    pub(super) fn decode(text: &SecretString) -> Result<Self> {
        let secret: SecretSlice<u8> = match STANDARD.decode(text.expose_secret().trim()) {
            Ok(key) if key.len() >= MIN_BYTES => key.into(),
            _ => {
                return Err(Error::Configuration(
                    format!("cookie_key must be Base64 of at least {MIN_BYTES} random bytes")
                        .into(),
                ));
            }
        };
        let id = derive(&secret, b"rollcall key id v1")?;
        let derived = Purpose::VARIANTS
            .iter()
            .map(|purpose| derive(&secret, purpose.info()));
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(&id.expose_secret()[..ID_BYTES]),
            derived: derived.collect::<Result<_>>()?,
        })
    }

    /// Returns the key's id, which reveals nothing of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the key derived for `purpose`.
    #[must_use]
    pub fn derived(&self, purpose: Purpose) -> &DerivedKey {
        &self.derived[purpose as usize]
    }
}

/// Derives a key by HKDF (RFC 5869).
fn derive(secret: &SecretSlice<u8>, info: &[u8]) -> Result<DerivedKey> {
    let mut key = Box::new([0; DERIVED_BYTES]);
    Hkdf::<Sha256>::new(None, secret.expose_secret())
        .expand(info, key.as_mut())
        .map_err(|err| Error::Internal(Failure::new("a key could not be derived", err)))?;
    Ok(SecretBox::new(key))
}

/// An Ed25519 key that signs access tokens.
pub struct SigningKey {
    id: String,
    private: SecretSlice<u8>,
    public: [u8; 32],
}

impl SigningKey {
    /// Decodes a key in Base64 of PKCS#8 DER.
    ///
    /// # Errors
    /// [`Error::Configuration`] when it is malformed.
    pub(super) fn decode(text: &SecretString) -> Result<Self> {
        let der = STANDARD.decode(text.expose_secret().trim());
        der.ok()
            .map(Zeroizing::new)
            .and_then(|der| ed25519_dalek::SigningKey::from_pkcs8_der(&der).ok())
            .ok_or_else(|| {
                Error::Configuration(Failure::because(
                    "signing_key must be Base64 of an Ed25519 private key in PKCS#8 DER",
                ))
            })
            .and_then(|key| Self::new(&key))
    }

    fn new(key: &ed25519_dalek::SigningKey) -> Result<Self> {
        let der = key
            .to_pkcs8_der()
            .map_err(|err| Error::Internal(Failure::new("the signing key", err)))?;
        let public = key.verifying_key();
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(&Sha256::digest(public.as_bytes())[..ID_BYTES]),
            private: der.as_bytes().to_vec().into(),
            public: public.to_bytes(),
        })
    }

    /// Returns the key's id (`kid`). It is derived from the public key, so that it is the same on
    /// every node.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the private key in PKCS#8 DER.
    #[must_use]
    pub fn private_der(&self) -> &[u8] {
        self.private.expose_secret()
    }

    /// Returns the public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }
}
