//! The value types of a session.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::text;

/// The characters of a digest: 66 bits.
const DIGEST_CHARS: usize = 11;
/// The random bytes of a JTI.
const JTI_BYTES: usize = 24;

/// The id of a refresh token (`jti`, RFC 7519): 192 random bits. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Jti(String);

impl Jti {
    /// Returns a new random id.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub fn random() -> Result<Self, Error> {
        text::random::<JTI_BYTES>().map(Self)
    }

    /// Returns the id that a genuine token or cookie carries.
    #[must_use]
    pub fn claimed(text: String) -> Self {
        Self(text)
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its digest.
    pub(crate) fn digest(&self) -> JtiDigest {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0));
        JtiDigest(text::truncate_chars(&digest, DIGEST_CHARS).to_owned())
    }
}

/// A short digest of a [`Jti`], by which an access token names the refresh token that it was issued
/// with. Unlike the JTI it may be seen by anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JtiDigest(String);

impl fmt::Debug for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The seconds of a bucket.
const BUCKET_SECONDS: i64 = 600;

/// Returns the ten minutes that `at` is in, counted from the Unix epoch. Lists are sorted by it: it
/// changes much less often than the time of the last use, which is therefore in no index.
#[must_use]
pub fn last_used_bucket(at: Timestamp) -> i32 {
    let bucket = at.timestamp().max(0) / BUCKET_SECONDS;
    i32::try_from(bucket).unwrap_or(i32::MAX)
}

/// Why a session ended. Its text form is stored, and is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EndedReason {
    /// Its owner signed out on it.
    SignedOut,
    /// Its owner signed it out from another session.
    SignedOutRemotely,
    /// An administrator ended it.
    Admin,
    /// It passed its idle or absolute limit.
    Expired,
    /// A spent refresh token was used again.
    ReuseDetected,
    /// The password was given wrong in it too often.
    WrongPasswords,
    /// Its owner's password was changed.
    PasswordChanged,
    /// Its owner's account was disabled.
    AccountDisabled,
    /// A new sign-in from the same browser replaced it.
    Replaced,
    /// Its owner had more sessions than allowed.
    Limit,
}

impl EndedReason {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a session was opened. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OpenedVia {
    /// On the sign-in page; the client has a cookie.
    Browser,
    /// Through the JSON API; the client has tokens.
    Api,
    /// By an application that authenticates people itself; the client has tokens.
    Application,
}

impl OpenedVia {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which pair of idle and absolute limits applies to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPersistence {
    /// The shorter pair.
    Standard,
    /// The longer pair: "Keep me signed in".
    Remembered,
}
