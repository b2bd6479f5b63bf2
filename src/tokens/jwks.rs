//! The public keys of access tokens, for those who verify them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::keys::{KeySet, SigningKey};

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

impl JwkSet {
    /// Returns the public keys of `keys`, also of those that don't sign yet or any more.
    pub(super) fn new(keys: &KeySet<SigningKey>) -> Self {
        let jwk = |key: &SigningKey| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            r#use: "sig",
            alg: "EdDSA",
            kid: key.id().to_owned(),
            x: URL_SAFE_NO_PAD.encode(key.public()),
        };
        Self {
            keys: keys.iter().map(jwk).collect(),
        }
    }
}
