//! Reading a proof: a JWS in compact form (RFC 7515, 7.1) of one type and one algorithm. It is not a token of
//! the service, and what it may be is fixed here: its header chooses nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::public_key::{COORDINATE, PublicKey};
use crate::error::ProofRefusal;

/// The most bytes of a proof. One of ES256 has about 370.
pub const MAX_PROOF_BYTES: usize = 2 * 1024;

/// A proof as it was sent; nothing of it is verified.
#[derive(Debug)]
pub struct SentProof {
    signed: String,
    signature: [u8; 2 * COORDINATE],
    jwk: Option<Jwk>,
    challenge: String,
}

/// The header. What else it has says nothing.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    #[serde(default)]
    jwk: Option<Jwk>,
    /// Extensions that must be understood: there are none (RFC 7515, 4.1.11).
    #[serde(default)]
    crit: Present,
}

/// A key (RFC 7517, RFC 7518 6.2).
#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct Payload {
    jti: String,
}

/// Whether a member is there, whatever its value.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(reader).map(|_| Self(true))
    }
}

impl SentProof {
    /// Reads the value of a header, which may be in quotes as a structured string is.
    ///
    /// # Errors
    /// [`ProofRefusal`] when it is no proof.
    pub fn read(value: &[u8]) -> Result<Self, ProofRefusal> {
        const UNREADABLE: ProofRefusal = ProofRefusal::Unreadable;

        if value.len() > MAX_PROOF_BYTES {
            return Err(ProofRefusal::TooLong);
        }
        let text = std::str::from_utf8(value).map_err(|_| UNREADABLE)?;
        let text = unquoted(text);
        let (signed, signature) = text.rsplit_once('.').ok_or(UNREADABLE)?;
        let (header, payload) = signed.split_once('.').ok_or(UNREADABLE)?;
        let header: Header = parse(header).ok_or(UNREADABLE)?;
        if header.alg != "ES256" || header.typ != "dbsc+jwt" || header.crit.0 {
            return Err(ProofRefusal::AnotherKind);
        }
        let payload: Payload = parse(payload).ok_or(UNREADABLE)?;
        Ok(Self {
            signature: decode(signature).ok_or(UNREADABLE)?,
            signed: signed.to_owned(),
            jwk: header.jwk,
            challenge: payload.jti,
        })
    }

    /// Returns the challenge that it is of.
    pub(super) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Returns the key that it states.
    ///
    /// # Errors
    /// [`ProofRefusal::NoKey`] when it states none on P-256.
    pub(super) fn key(&self) -> Result<PublicKey, ProofRefusal> {
        let key = || {
            let jwk = self.jwk.as_ref()?;
            let is_p256 = jwk.kty == "EC" && jwk.crv == "P-256";
            let (x, y) = (decode(&jwk.x)?, decode(&jwk.y)?);
            PublicKey::from_coordinates(&x, &y).filter(|_| is_p256)
        };
        key().ok_or(ProofRefusal::NoKey)
    }

    /// Verifies that `key` has signed it.
    ///
    /// # Errors
    /// [`ProofRefusal::Signature`] when it has not.
    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), ProofRefusal> {
        match key.verifies(self.signed.as_bytes(), &self.signature) {
            true => Ok(()),
            false => Err(ProofRefusal::Signature),
        }
    }
}

/// Returns a header's value without the quotes of a structured string (RFC 9651, 3.3.3). Nothing in a proof, an
/// id or a challenge is escaped there.
fn unquoted(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}

fn parse<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

fn decode<const N: usize>(part: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(part).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::ecdsa::EcdsaSig;
    use openssl::nid::Nid;
    use openssl::pkey::Private;
    use serde_json::{Value, json};
    use sha2::{Digest, Sha256};

    use super::*;

    fn private_key() -> EcKey<Private> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        EcKey::generate(&group).unwrap()
    }

    fn jwk(key: &EcKey<Private>) -> Value {
        use openssl::bn::{BigNum, BigNumContext};

        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        key.public_key()
            .affine_coordinates(key.group(), &mut x, &mut y, &mut context)
            .unwrap();
        let text = |n: &BigNum| URL_SAFE_NO_PAD.encode(n.to_vec_padded(32).unwrap());
        json!({"kty": "EC", "crv": "P-256", "x": text(&x), "y": text(&y)})
    }

    fn sign(key: &EcKey<Private>, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = EcdsaSig::sign(&Sha256::digest(&signed), key).unwrap();
        let half = |n: &openssl::bn::BigNumRef| n.to_vec_padded(32).unwrap();
        let signature = [half(signature.r()), half(signature.s())].concat();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn header(jwk: &Value) -> Value {
        json!({"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk})
    }

    #[test]
    fn a_proof_is_read_bare_and_quoted_and_verified_by_its_key() {
        let key = private_key();
        // Chromium may add claims, such as `aud`.
        let payload =
            json!({"jti": "c", "aud": "https://login.example.org/", "authorization": "x"});
        let text = sign(&key, &header(&jwk(&key)), &payload);
        for text in [text.clone(), format!("\"{text}\"")] {
            let proof = SentProof::read(text.as_bytes()).unwrap();
            assert_eq!(proof.challenge(), "c");
            let own = proof.key().unwrap();
            assert_eq!(proof.verify(&own), Ok(()));
            let stored = own.to_stored().unwrap();
            assert_eq!(stored.len(), 33);
            assert_eq!(
                proof.verify(&PublicKey::from_stored(&stored).unwrap()),
                Ok(())
            );
            let other = PublicKey::from_stored(&stored_of(&private_key())).unwrap();
            assert_eq!(proof.verify(&other), Err(ProofRefusal::Signature));
        }
    }

    fn stored_of(key: &EcKey<Private>) -> Vec<u8> {
        let text = sign(key, &header(&jwk(key)), &json!({"jti": ""}));
        let proof = SentProof::read(text.as_bytes()).unwrap();
        proof.key().unwrap().to_stored().unwrap()
    }

    #[test]
    fn every_change_of_what_was_signed_voids_it() {
        let key = private_key();
        let text = sign(&key, &header(&jwk(&key)), &json!({"jti": "c"}));
        let proof = SentProof::read(text.as_bytes()).unwrap();
        let own = proof.key().unwrap();
        for other in ["d", "", "cc"] {
            let other = sign(&private_key(), &header(&jwk(&key)), &json!({"jti": other}));
            let signature = text.rsplit_once('.').unwrap().1;
            let changed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
            let proof = SentProof::read(changed.as_bytes()).unwrap();
            assert_eq!(proof.verify(&own), Err(ProofRefusal::Signature));
        }
        for signature in [[0; 64], [255; 64]] {
            let signed = text.rsplit_once('.').unwrap().0;
            let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
            let proof = SentProof::read(forged.as_bytes()).unwrap();
            assert_eq!(proof.verify(&own), Err(ProofRefusal::Signature));
        }
    }

    #[test]
    fn another_kind_of_token_is_none() {
        let key = private_key();
        let jwk = jwk(&key);
        for header in [
            json!({"alg": "none", "typ": "dbsc+jwt", "jwk": jwk}),
            json!({"alg": "HS256", "typ": "dbsc+jwt", "jwk": jwk}),
            json!({"alg": "RS256", "typ": "dbsc+jwt", "jwk": jwk}),
            json!({"alg": "es256", "typ": "dbsc+jwt", "jwk": jwk}),
            json!({"alg": "ES256", "typ": "jwt", "jwk": jwk}),
            json!({"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk, "crit": ["b64"], "b64": false}),
            json!({"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk, "crit": null}),
        ] {
            let text = sign(&key, &header, &json!({"jti": "c"}));
            let read = SentProof::read(text.as_bytes());
            assert_eq!(read.err(), Some(ProofRefusal::AnotherKind), "{header}");
        }
    }

    #[test]
    fn what_is_malformed_is_not_read() {
        let key = private_key();
        let good = sign(&key, &header(&jwk(&key)), &json!({"jti": "c"}));
        let parts: Vec<&str> = good.split('.').collect();
        let with = |signature: &str| format!("{}.{}.{signature}", parts[0], parts[1]);
        let twice = r#"{"alg":"none","typ":"dbsc+jwt","alg":"ES256"}"#;
        for text in [
            String::new(),
            "..".into(),
            "a.b".into(),
            parts[..2].join("."),
            format!("{good}."),
            format!("{good}="),
            format!(".{good}"),
            format!("\"{good}"),
            with(""),
            with("AA"),
            with(&format!("{}AA", parts[2])),
            format!("{}.{}.{}", URL_SAFE_NO_PAD.encode("[]"), parts[1], parts[2]),
            format!(
                "{}.{}.{}",
                URL_SAFE_NO_PAD.encode(twice),
                parts[1],
                parts[2]
            ),
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode("{}"), parts[2]),
            format!(
                "{}.{}.{}",
                parts[0],
                URL_SAFE_NO_PAD.encode(r#"{"jti":1}"#),
                parts[2]
            ),
        ] {
            let read = SentProof::read(text.as_bytes());
            assert_eq!(read.err(), Some(ProofRefusal::Unreadable), "{text}");
        }
        assert_eq!(
            SentProof::read(b"\xff.\xff.\xff").err(),
            Some(ProofRefusal::Unreadable)
        );
        let long = vec![b'a'; MAX_PROOF_BYTES + 1];
        assert_eq!(SentProof::read(&long).err(), Some(ProofRefusal::TooLong));
    }

    #[test]
    fn only_a_point_on_the_curve_is_a_key() {
        let key = private_key();
        let good = jwk(&key);
        let one = URL_SAFE_NO_PAD.encode([1; 32]);
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        let mut refused = vec![json!({"kty": "EC", "crv": "P-256", "x": one, "y": one})];
        refused.push(json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero}));
        for (name, value) in [
            ("kty", json!("RSA")),
            ("crv", json!("P-384")),
            ("y", json!(one)),
            ("x", json!(URL_SAFE_NO_PAD.encode([1; 31]))),
            ("x", json!(URL_SAFE_NO_PAD.encode([255; 32]))),
        ] {
            let mut changed = good.clone();
            changed[name] = value;
            refused.push(changed);
        }
        for jwk in refused {
            let text = sign(&key, &header(&jwk), &json!({"jti": "c"}));
            let proof = SentProof::read(text.as_bytes()).unwrap();
            assert_eq!(proof.key().err(), Some(ProofRefusal::NoKey), "{jwk}");
        }
        let without = json!({"alg": "ES256", "typ": "dbsc+jwt"});
        let text = sign(&key, &without, &json!({"jti": "c"}));
        let proof = SentProof::read(text.as_bytes()).unwrap();
        assert_eq!(proof.key().err(), Some(ProofRefusal::NoKey));
    }
}
