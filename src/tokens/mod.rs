//! Tokens: the access token, a short-lived JWT that anybody can check offline (RFC 9068), and the
//! refresh token, which only we can read. Both are claims; the session's row decides.

mod crypto;
mod keys;
mod ring;
mod secrets;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::keys::Keys;
pub use self::ring::JwkSet;
use self::ring::KeyRing;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::sessions::{Claim, Jti, Session};
use crate::settings::TokenSettings;

/// RFC 9068, section 2.1.
const ACCESS_TYPE: &str = "at+jwt";
const REFRESH_TYPE: &str = "rt+jwt";
/// Longer than any token we make; anything longer is not looked at.
const MAX_BYTES: usize = 2048;

/// What an access token says (RFC 9068, section 2.2).
#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    aud: String,
    sub: UserId,
    client_id: String,
    sid: SessionId,
    jti: uuid::Uuid,
    iat: i64,
    exp: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct RefreshClaims {
    iss: String,
    sub: UserId,
    sid: SessionId,
    jti: String,
    iat: i64,
    exp: i64,
}

/// A refresh token that proved genuine. Whether it is spent is for the row to say.
#[derive(Debug)]
pub struct RefreshClaim {
    /// Whose it is.
    pub user: UserId,
    /// Of which session.
    pub session: SessionId,
    /// Which one.
    pub jti: Jti,
}

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// For requests.
    Access,
    /// For the next pair.
    Refresh,
}

/// A token that proved genuine and in time, of either kind. Whether its session lives is for the
/// row to say.
#[derive(Debug)]
pub struct TokenInfo {
    /// Which kind.
    pub kind: TokenKind,
    /// Whose it is.
    pub user: UserId,
    /// Of which session.
    pub session: SessionId,
    /// Which refresh token it is; none for an access token.
    pub jti: Option<Jti>,
    /// Whom an access token is for.
    pub audience: Option<String>,
    /// Seconds since the Unix epoch.
    pub issued_at: i64,
    /// Seconds since the Unix epoch.
    pub expires_at: i64,
}

/// What a client gets at sign-in and at each refresh.
#[derive(Debug, Serialize)]
pub struct TokenPair {
    /// For every request, as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds the access token is good for.
    pub expires_in: u64,
    /// For the next refresh; good once.
    pub refresh_token: String,
    /// Seconds until the session ends if it isn't used.
    pub refresh_expires_in: u64,
}

/// Makes and checks tokens.
pub struct Tokens {
    issuer: String,
    audience: String,
    access_lifetime: Duration,
    access: RwLock<Arc<KeyRing>>,
    refresh: (EncodingKey, DecodingKey),
}

impl Tokens {
    /// Tokens issued by `issuer`, the service's public URL.
    ///
    /// # Errors
    /// [`Error::Internal`] when a key can't be used.
    pub fn new(keys: &Keys, settings: &TokenSettings, issuer: String) -> Result<Self> {
        crypto::install();
        let refresh_key = keys.refresh_token_key()?;
        Ok(Self {
            issuer,
            audience: settings.audience.clone(),
            access_lifetime: settings.access_lifetime,
            access: RwLock::new(Arc::new(KeyRing::new(keys.signing_keys())?)),
            refresh: (
                EncodingKey::from_secret(refresh_key.expose_secret()),
                DecodingKey::from_secret(refresh_key.expose_secret()),
            ),
        })
    }

    /// Takes the signing keys from `keys`, which may be newer than those in use.
    ///
    /// # Errors
    /// [`Error::Internal`] when one can't be used; then nothing changes.
    pub fn update_keys(&self, keys: &Keys) -> Result<()> {
        let ring = Arc::new(KeyRing::new(keys.signing_keys())?);
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// The public keys that access tokens can be checked with.
    pub fn jwks(&self) -> JwkSet {
        self.ring().public()
    }

    fn ring(&self) -> Arc<KeyRing> {
        self.access
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The tokens of a session that was just opened or refreshed. For the same state of the row
    /// the refresh token is the same.
    ///
    /// # Errors
    /// [`Error::Internal`] when signing fails.
    pub fn issue(&self, session: &Session, now: Timestamp) -> Result<TokenPair> {
        let lifetime = self.access_lifetime.min(session.expires_at.since(now));
        Ok(TokenPair {
            access_token: self.access_token(session, now, lifetime)?,
            token_type: "Bearer",
            expires_in: lifetime.as_secs(),
            refresh_token: self.refresh_token(session)?,
            refresh_expires_in: session.expires_at.since(now).as_secs(),
        })
    }

    /// The service's public URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What an access token claims, if it is genuine and in time.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<Claim> {
        let claims = self.access_claims(token, now)?;
        Ok(Claim {
            user: claims.sub,
            session: claims.sid,
            jti: None,
        })
    }

    /// What a refresh token claims, if it is genuine and in time.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<RefreshClaim> {
        let claims = self.refresh_claims(token, now)?;
        Ok(RefreshClaim {
            user: claims.sub,
            session: claims.sid,
            jti: Jti::claimed(claims.jti),
        })
    }

    /// What a token of either kind says, if it is genuine and in time.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn inspect(&self, token: &str, now: Timestamp) -> Result<TokenInfo> {
        if let Ok(claims) = self.access_claims(token, now) {
            return Ok(TokenInfo {
                kind: TokenKind::Access,
                user: claims.sub,
                session: claims.sid,
                jti: None,
                audience: Some(claims.aud),
                issued_at: claims.iat,
                expires_at: claims.exp,
            });
        }
        self.refresh_claims(token, now).map(|claims| TokenInfo {
            kind: TokenKind::Refresh,
            user: claims.sub,
            session: claims.sid,
            jti: Some(Jti::claimed(claims.jti)),
            audience: None,
            issued_at: claims.iat,
            expires_at: claims.exp,
        })
    }

    fn access_claims(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        const UNKNOWN_KEY: Error = Error::InvalidToken(Failure::because("its key is unknown"));

        let ring = self.ring();
        let kid = decode_header(token).ok().and_then(|header| header.kid);
        let key = kid
            .as_deref()
            .and_then(|kid| ring.find_key(kid))
            .ok_or(UNKNOWN_KEY)?;
        let claims: AccessClaims = self.verify(token, Algorithm::EdDSA, ACCESS_TYPE, key)?;
        if claims.aud != self.audience {
            return Err(Error::InvalidToken(Failure::because(
                "it is for another audience",
            )));
        }
        require_unexpired(claims.exp, now)?;
        Ok(claims)
    }

    fn refresh_claims(&self, token: &str, now: Timestamp) -> Result<RefreshClaims> {
        let claims: RefreshClaims =
            self.verify(token, Algorithm::HS256, REFRESH_TYPE, &self.refresh.1)?;
        require_unexpired(claims.exp, now)?;
        Ok(claims)
    }

    fn access_token(
        &self,
        session: &Session,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String> {
        let ring = self.ring();
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: session.user_id,
            client_id: self.audience.clone(),
            sid: session.id,
            jti: uuid::Uuid::new_v4(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
        };
        let header = Header {
            typ: Some(ACCESS_TYPE.into()),
            kid: ring.signing_id(),
            ..Header::new(Algorithm::EdDSA)
        };
        sign(&header, &claims, &ring.signing)
    }

    fn refresh_token(&self, session: &Session) -> Result<String> {
        let claims = RefreshClaims {
            iss: self.issuer.clone(),
            sub: session.user_id,
            sid: session.id,
            jti: session.jti().as_str().to_owned(),
            iat: session.rotated_at().timestamp(),
            exp: session.absolute_expires_at.timestamp(),
        };
        let header = Header {
            typ: Some(REFRESH_TYPE.into()),
            ..Header::new(Algorithm::HS256)
        };
        sign(&header, &claims, &self.refresh.0)
    }

    /// Algorithm and type are pinned (RFC 8725, 3.1 and 3.11); time is our clock's to judge.
    fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        algorithm: Algorithm,
        kind: &str,
        key: &DecodingKey,
    ) -> Result<T> {
        if token.len() > MAX_BYTES {
            return Err(Error::InvalidToken(Failure::because("it is too long")));
        }
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let token = decode::<T>(token, key, &validation)
            .map_err(|err| Error::InvalidToken(Failure::new("it is not genuine", err)))?;
        match token.header.typ.as_deref() {
            Some(typ) if typ.eq_ignore_ascii_case(kind) => Ok(token.claims),
            _ => Err(Error::InvalidToken(Failure::because(
                "it is of another type",
            ))),
        }
    }
}

fn sign<T: Serialize>(header: &Header, claims: &T, key: &EncodingKey) -> Result<String> {
    encode(header, claims, key)
        .map_err(|err| Error::Internal(Failure::new("a token could not be signed", err)))
}

fn require_unexpired(exp: i64, now: Timestamp) -> Result<()> {
    match now.timestamp() < exp {
        true => Ok(()),
        false => Err(Error::InvalidToken(Failure::because("it has expired"))),
    }
}
