//! Device-bound session credentials: a browser's key, the proofs that it signs, and the headers in which a
//! response offers a binding and asks for the next proof.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::Private;
use openssl::sha::sha256;
use rollcall::settings::Settings;
use serde_json::{Value, json};

use super::app::behind_proxy;
use super::response::TestResponse;

pub const SESSION: &str = "__Host-rollcall_session";
pub const BOUND: &str = "__Host-rollcall_bound";
pub const REGISTER: &str = "/auth/bound/register";
pub const REFRESH: &str = "/auth/bound/refresh";

/// Changes settings to those of a service whose browsers use HTTPS, behind a proxy on this machine.
pub fn use_https(settings: &mut Settings) {
    behind_proxy(settings);
    settings.public_url = Some("https://login.example.org".parse().expect("a URL"));
}

/// A key of a browser, on P-256.
#[derive(Clone)]
pub struct Key(EcKey<Private>);

impl Key {
    pub fn generate() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("the curve");
        Self(EcKey::generate(&group).expect("a key"))
    }

    /// Returns the public key as a JWK (RFC 7517).
    pub fn jwk(&self) -> Value {
        let (mut x, mut y) = (number(), number());
        let mut context = BigNumContext::new().expect("a context");
        self.0
            .public_key()
            .affine_coordinates(self.0.group(), &mut x, &mut y, &mut context)
            .expect("the point");
        json!({"crv": "P-256", "kty": "EC", "x": padded(&x), "y": padded(&y)})
    }

    /// Returns the proof of a registration, as Chromium makes it.
    pub fn registration(&self, challenge: &str) -> String {
        let header = json!({"alg": "ES256", "jwk": self.jwk(), "typ": "dbsc+jwt"});
        self.sign(&header, &json!({"jti": challenge}))
    }

    /// Returns the proof of a refresh, as Chromium makes it.
    pub fn refresh(&self, challenge: &str) -> String {
        let header = json!({"alg": "ES256", "typ": "dbsc+jwt"});
        self.sign(&header, &json!({"jti": challenge}))
    }

    /// Returns a JWT with this header and payload, whatever they say.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let signed = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(payload.to_string())
        );
        self.sign_text(&signed)
    }

    /// Returns a text with its signature.
    pub fn sign_text(&self, signed: &str) -> String {
        let signature = EcdsaSig::sign(&sha256(signed.as_bytes()), &self.0).expect("a signature");
        let parts = [signature.r(), signature.s()].map(|part| part.to_vec_padded(32).expect("32"));
        format!("{signed}.{}", encode(parts.concat()))
    }

    /// Returns a text with its signature in DER, which is not that of a JWT.
    pub fn sign_in_der(&self, signed: &str) -> String {
        let signature = EcdsaSig::sign(&sha256(signed.as_bytes()), &self.0).expect("a signature");
        format!("{signed}.{}", encode(signature.to_der().expect("DER")))
    }
}

fn number() -> BigNum {
    BigNum::new().expect("a number")
}

fn padded(coordinate: &BigNum) -> String {
    encode(coordinate.to_vec_padded(32).expect("32 bytes"))
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the challenge of the binding that the response offers, if it does. The offer is as it is
/// documented, to the letter.
#[track_caller]
pub fn offered(response: &TestResponse) -> Option<String> {
    let offers = response.headers.get_all("secure-session-registration");
    let offers: Vec<_> = offers.iter().collect();
    let [offer] = offers.as_slice() else {
        assert!(offers.is_empty(), "several: {offers:?}");
        return None;
    };
    let offer = offer.to_str().expect("a header of text");
    let challenge = offer
        .strip_prefix(r#"(ES256);path="/auth/bound/register";challenge=""#)
        .and_then(|rest| rest.strip_suffix('"'));
    let challenge = challenge.unwrap_or_else(|| panic!("another offer: {offer}"));
    assert!(is_base64url(challenge), "{offer}");
    Some(challenge.to_owned())
}

/// Returns the challenge for the next proof of the session with this id, if there is one.
#[track_caller]
pub fn challenged(response: &TestResponse, id: &str) -> Option<String> {
    let sent = response.headers.get("secure-session-challenge")?;
    let sent = sent.to_str().expect("a header of text");
    let challenge = sent
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix(&format!("\";id=\"{id}\"")));
    let challenge = challenge.unwrap_or_else(|| panic!("not a challenge for {id}: {sent}"));
    assert!(is_base64url(challenge), "{sent}");
    Some(challenge.to_owned())
}

fn is_base64url(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(is_one)
}
