//! Tokens: the access token, a short-lived JWT that anybody can verify offline (RFC 9068), and the
//! refresh token, a JWT that only the service can verify. Whether the session of a genuine token is
//! live depends on its row.

mod claims;
mod crypto;
mod jwks;

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::claims::PASSWORD_ACR;
use self::claims::{AccessClaims, AuthenticationClaims, RefreshClaims};
pub use self::jwks::JwkSet;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::error::{Error, Failure, Result, TokenRefusal};
use crate::keys::{CookieKey, KeyRing, Purpose};
use crate::sessions::{Claim, Credential, IssuedWith, Jti, RefreshClaim, Session};
use crate::settings::TokenSettings;

/// The type of an access token (RFC 9068, section 2.1).
const ACCESS_TYPE: &str = "at+jwt";
const REFRESH_TYPE: &str = "rt+jwt";
/// The most bytes of a token. Issued tokens are shorter; longer ones are rejected unread.
const MAX_BYTES: usize = 2048;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token, for requests.
    Access,
    /// A refresh token, for the next pair of tokens.
    Refresh,
}

/// Who an access token is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The service itself: its API and forward-auth.
    Service,
    /// An application. The service refuses it.
    Application(ApplicationId),
}

/// The claims of a genuine, unexpired token of either kind. Whether its session is live depends on
/// the session's row.
#[derive(Debug)]
pub struct TokenInfo {
    /// The kind of the token.
    pub kind: TokenKind,
    /// The session's owner.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The id of a refresh token; `None` for an access token.
    pub jti: Option<Jti>,
    /// The refresh token that an access token was issued with; `None` for a refresh token.
    pub issued_with: Option<IssuedWith>,
    /// When the password was given that the token is based on, if one was.
    pub password_given_at: Option<Timestamp>,
    /// The audience of an access token; `None` for a refresh token.
    pub audience: Option<Audience>,
    /// When it was issued, in seconds since the Unix epoch.
    pub issued_at: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub expires_at: i64,
}

/// The tokens that a client gets at sign-in and at each refresh.
#[derive(Debug, Serialize)]
pub struct TokenPair {
    /// The access token, for every request, as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// The refresh token, for the next refresh; valid once.
    pub refresh_token: String,
    /// Seconds until the session expires if it isn't used.
    pub refresh_expires_in: u64,
}

/// The issuer and verifier of tokens.
pub struct Tokens {
    issuer: String,
    audience: String,
    access_lifetime: Duration,
    keys: KeyRing,
}

impl Tokens {
    /// Returns an issuer of tokens with `issuer`, the service's public URL, and the keys in use.
    #[must_use]
    pub fn new(keys: KeyRing, settings: &TokenSettings, issuer: String) -> Self {
        crypto::install();
        Self {
            issuer,
            audience: settings.audience.clone(),
            access_lifetime: settings.access_lifetime,
            keys,
        }
    }

    /// Returns the public keys that verify access tokens.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet::new(&self.keys.current().signing)
    }

    /// Returns the tokens of a session that was just opened or refreshed, based on a password given
    /// at `password_given_at`, if one was. The access token is for `audience`; the refresh token is
    /// for the service, which may be asked for another audience with it. For an unchanged row and
    /// the same time the refresh token is the same, unless another key has come into use.
    ///
    /// # Errors
    /// [`Error::Internal`] when signing fails.
    pub fn issue(
        &self,
        session: &Session,
        password_given_at: Option<Timestamp>,
        audience: Audience,
        now: Timestamp,
    ) -> Result<TokenPair> {
        let lifetime = self.access_lifetime.min(session.expires_at.since(now));
        Ok(TokenPair {
            access_token: self.access_token(
                session,
                password_given_at,
                self.audience_claim(audience),
                (now, lifetime),
            )?,
            token_type: "Bearer",
            expires_in: lifetime.as_secs(),
            refresh_token: self.refresh_token(session, password_given_at, now)?,
            refresh_expires_in: session.expires_at.since(now).as_secs(),
        })
    }

    /// Returns the service's public URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the `aud` of access tokens for `audience`.
    #[must_use]
    pub fn audience_claim(&self, audience: Audience) -> String {
        match audience {
            Audience::Service => self.audience.clone(),
            Audience::Application(id) => id.to_string(),
        }
    }

    /// Verifies an access token for the service itself and returns its claim.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when it is not genuine, has expired or is for another audience.
    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<Claim> {
        let claims = self.access_claims(token, now)?;
        if self.audience_of(&claims)? != Audience::Service {
            return Err(Error::InvalidToken(TokenRefusal::AnotherAudience));
        }
        Ok(Claim {
            user: claims.sub,
            session: claims.sid,
            credential: Credential::AccessToken {
                issued_with: claims.issued_with(),
                password_given_at: claims.authentication.password_given_at(),
            },
        })
    }

    /// Verifies a refresh token and returns its claims.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when it is not genuine or has expired.
    pub fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<RefreshClaim> {
        let claims = self.refresh_claims(token, now)?;
        Ok(RefreshClaim {
            user: claims.sub,
            session: claims.sid,
            jti: Jti::claimed(claims.jti),
            rotation_count: claims.rot,
            password_given_at: claims.authentication.password_given_at(),
            application: None,
        })
    }

    /// Verifies a token of either kind and returns its claims.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when it is neither a valid access token nor a valid refresh token.
    pub fn inspect(&self, token: &str, now: Timestamp) -> Result<TokenInfo> {
        if let Ok(claims) = self.access_claims(token, now) {
            let audience = self.audience_of(&claims)?;
            return Ok(TokenInfo {
                kind: TokenKind::Access,
                user: claims.sub,
                session: claims.sid,
                jti: None,
                issued_with: Some(claims.issued_with()),
                password_given_at: claims.authentication.password_given_at(),
                audience: Some(audience),
                issued_at: claims.iat,
                expires_at: claims.exp,
            });
        }
        self.refresh_claims(token, now).map(|claims| TokenInfo {
            kind: TokenKind::Refresh,
            user: claims.sub,
            session: claims.sid,
            jti: Some(Jti::claimed(claims.jti)),
            issued_with: None,
            password_given_at: claims.authentication.password_given_at(),
            audience: None,
            issued_at: claims.iat,
            expires_at: claims.exp,
        })
    }

    /// Returns the audience of a genuine access token. What is neither the service's nor an
    /// application's is from before the setting `tokens.audience` changed.
    fn audience_of(&self, claims: &AccessClaims) -> Result<Audience> {
        if claims.aud == self.audience {
            return Ok(Audience::Service);
        }
        let id = claims.aud.parse().map(Audience::Application);
        id.map_err(|_| Error::InvalidToken(TokenRefusal::AnotherAudience))
    }

    /// Verifies an access token for whichever audience.
    fn access_claims(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        let keys = self.keys.current();
        if token.len() > MAX_BYTES {
            return Err(Error::InvalidToken(TokenRefusal::TooLong));
        }
        let header = decode_header(token);
        let kid = header
            .map_err(|_| Error::InvalidToken(TokenRefusal::Malformed))?
            .kid;
        let mut keys = keys.signing.iter();
        let key = keys
            .find(|key| Some(key.id()) == kid.as_deref())
            .map(|key| DecodingKey::from_ed_der(key.public()))
            .ok_or(Error::InvalidToken(TokenRefusal::UnknownKey))?;
        let claims: AccessClaims = self.verify(token, Algorithm::EdDSA, ACCESS_TYPE, &key)?;
        require_unexpired(claims.exp, now)?;
        Ok(claims)
    }

    fn refresh_claims(&self, token: &str, now: Timestamp) -> Result<RefreshClaims> {
        let keys = self.keys.current();
        let verify = |key: &CookieKey| -> Result<RefreshClaims> {
            let key = key.derived(Purpose::RefreshToken).expose_secret();
            let key = DecodingKey::from_secret(key);
            self.verify(token, Algorithm::HS256, REFRESH_TYPE, &key)
        };
        let mut refused = Error::InvalidToken(TokenRefusal::NotGenuine(None));
        let claims = keys.cookie.iter().find_map(|key| match verify(key) {
            Ok(claims) => Some(claims),
            Err(err) => {
                // Any other reason says more than that another key signed it.
                if !matches!(err, Error::InvalidToken(TokenRefusal::NotGenuine(_))) {
                    refused = err;
                }
                None
            }
        });
        let claims = claims.ok_or(refused)?;
        require_unexpired(claims.exp, now)?;
        Ok(claims)
    }

    fn access_token(
        &self,
        session: &Session,
        password_given_at: Option<Timestamp>,
        aud: String,
        (now, lifetime): (Timestamp, Duration),
    ) -> Result<String> {
        let keys = self.keys.current();
        let key = keys.signing.in_use(now);
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud,
            sub: session.user_id,
            client_id: self.audience.clone(),
            sid: session.id,
            jti: uuid::Uuid::new_v4(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
            rot: session.rotation_count,
            rtd: Some(session.jti().digest()),
            authentication: AuthenticationClaims::new(password_given_at),
        };
        let header = Header {
            typ: Some(ACCESS_TYPE.into()),
            kid: Some(key.id().to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        sign(
            &header,
            &claims,
            &EncodingKey::from_ed_der(key.private_der()),
        )
    }

    fn refresh_token(
        &self,
        session: &Session,
        password_given_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String> {
        let keys = self.keys.current();
        let key = keys.cookie.in_use(now).derived(Purpose::RefreshToken);
        let claims = RefreshClaims {
            iss: self.issuer.clone(),
            sub: session.user_id,
            sid: session.id,
            jti: session.jti().as_str().to_owned(),
            iat: session.rotated_at().timestamp(),
            exp: session.absolute_expires_at.timestamp(),
            rot: session.rotation_count,
            authentication: AuthenticationClaims::new(password_given_at),
        };
        let header = Header {
            typ: Some(REFRESH_TYPE.into()),
            ..Header::new(Algorithm::HS256)
        };
        sign(
            &header,
            &claims,
            &EncodingKey::from_secret(key.expose_secret()),
        )
    }

    /// Verifies everything but the audience and the expiry, which needs the service's clock.
    /// Algorithm and type are pinned (RFC 8725, 3.1 and 3.11).
    fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        algorithm: Algorithm,
        kind: &str,
        key: &DecodingKey,
    ) -> Result<T> {
        if token.len() > MAX_BYTES {
            return Err(Error::InvalidToken(TokenRefusal::TooLong));
        }
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let token = decode::<T>(token, key, &validation).map_err(|err| {
            let cause = Failure::new("decoding failed", err);
            Error::InvalidToken(TokenRefusal::NotGenuine(Some(cause)))
        })?;
        match token.header.typ.as_deref() {
            Some(typ) if typ.eq_ignore_ascii_case(kind) => Ok(token.claims),
            _ => Err(Error::InvalidToken(TokenRefusal::AnotherType)),
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
        false => Err(Error::InvalidToken(TokenRefusal::Expired)),
    }
}
