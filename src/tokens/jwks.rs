//! The keys of access tokens: the newest signs, all of them verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Failure, Result};

pub(super) struct KeyRing {
    pub(super) signing: EncodingKey,
    /// Newest first, never empty.
    verifying: Vec<VerifyingKey>,
}

struct VerifyingKey {
    id: String,
    key: DecodingKey,
    public: String,
}

/// A JSON Web Key Set (RFC 7517, section 5).
#[derive(Debug, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// An Ed25519 public key (RFC 8037, section 2).
#[derive(Debug, Serialize)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    r#use: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
}

impl KeyRing {
    /// Returns a ring of `keys`, which are newest first.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is no key or the newest can't be used.
    pub(super) fn new(keys: &[SigningKey]) -> Result<Self> {
        let newest = keys
            .first()
            .ok_or_else(|| Error::Internal(Failure::because("there is no signing key")))?;
        let der = newest
            .to_pkcs8_der()
            .map_err(|err| Error::Internal(Failure::new("the signing key", err)))?;
        Ok(Self {
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: keys.iter().map(VerifyingKey::from_signing_key).collect(),
        })
    }

    /// Returns the id of the key that signs.
    pub(super) fn signing_id(&self) -> Option<String> {
        self.verifying.first().map(|key| key.id.clone())
    }

    /// Returns the key with that id.
    pub(super) fn find_key(&self, id: &str) -> Option<&DecodingKey> {
        self.verifying
            .iter()
            .find(|key| key.id == id)
            .map(|key| &key.key)
    }

    /// Returns the public keys.
    pub(super) fn public(&self) -> JwkSet {
        let jwk = |key: &VerifyingKey| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            r#use: "sig",
            alg: "EdDSA",
            kid: key.id.clone(),
            x: key.public.clone(),
        };
        JwkSet {
            keys: self.verifying.iter().map(jwk).collect(),
        }
    }
}

impl VerifyingKey {
    /// Returns the public key of `key`. Its id is derived from it, so that it is the same on every
    /// node.
    fn from_signing_key(key: &SigningKey) -> Self {
        let public = key.verifying_key();
        let digest = Sha256::digest(public.as_bytes());
        Self {
            id: URL_SAFE_NO_PAD.encode(&digest[..12]),
            key: DecodingKey::from_ed_der(public.as_bytes()),
            public: URL_SAFE_NO_PAD.encode(public.as_bytes()),
        }
    }
}
