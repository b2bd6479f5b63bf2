//! The claims of tokens.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::sessions::{IssuedWith, JtiDigest};

/// The authentication context class (`acr`) of a password.
pub const PASSWORD_ACR: &str = "urn:rollcall:password";

/// When and how the person authenticated that a token is based on (RFC 9068, section 2.2.1). It is
/// copied from token to token. A token without it, such as one of a session that an application
/// opened, passes no step-up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct AuthenticationClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acr: Option<String>,
}

/// The claims of an access token (RFC 9068, section 2.2).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AccessClaims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: UserId,
    pub(super) client_id: String,
    pub(super) sid: SessionId,
    pub(super) jti: uuid::Uuid,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// The counter of the refresh token that it was issued with.
    #[serde(default)]
    pub(super) rot: i32,
    /// The digest of that token's JTI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtd: Option<JtiDigest>,
    #[serde(flatten)]
    pub(super) authentication: AuthenticationClaims,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RefreshClaims {
    pub(super) iss: String,
    pub(super) sub: UserId,
    pub(super) sid: SessionId,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// The counter: how many rotations came before it. A token from before there was one has 0.
    #[serde(default)]
    pub(super) rot: i32,
    #[serde(flatten)]
    pub(super) authentication: AuthenticationClaims,
}

impl AccessClaims {
    /// Returns the refresh token that it was issued with.
    pub(super) fn issued_with(&self) -> IssuedWith {
        IssuedWith {
            rotation_count: self.rot,
            digest: self.rtd.clone(),
        }
    }
}

impl AuthenticationClaims {
    pub(super) fn new(password_given_at: Option<Timestamp>) -> Self {
        Self {
            auth_time: password_given_at.map(|at| at.timestamp()),
            acr: password_given_at.map(|_| PASSWORD_ACR.to_owned()),
        }
    }

    /// Returns when a password was given, if the claims are about one.
    pub(super) fn password_given_at(&self) -> Option<Timestamp> {
        let is_password = self.acr.as_deref() == Some(PASSWORD_ACR);
        Timestamp::from_micros(
            self.auth_time
                .filter(|_| is_password)?
                .checked_mul(1_000_000)?,
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_auth_time_can_be_read(auth_time in any::<i64>(), shift in 0..63_u32) {
            let claims = AuthenticationClaims {
                auth_time: Some(auth_time >> shift),
                acr: Some(PASSWORD_ACR.into()),
            };
            let read = claims.password_given_at().map(|at| at.timestamp());
            prop_assert!(read.is_none() || read == claims.auth_time);
        }
    }
}
