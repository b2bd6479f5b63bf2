//! The values a session is made of, each parsed once at the door.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::text;

/// The id of a refresh token (`jti`, RFC 7519): 192 random bits. Never shown to anybody.
#[derive(Clone, PartialEq, Eq)]
pub struct Jti(String);

impl Jti {
    /// A new one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness to give.
    pub fn random() -> Result<Self, Error> {
        random_text().map(Self)
    }

    /// The id as it stands in a token or cookie that proved genuine.
    pub fn claimed(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What a client calls itself by, the same at every sign-in from the same device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceId(String);

impl DeviceId {
    const LIMIT: usize = 255;

    /// A new one, for a browser that has none.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness to give.
    pub fn random() -> Result<Self, Error> {
        random_text().map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let id = text::clean(text);
        match id.chars().count() {
            1..=Self::LIMIT => Ok(Self(id)),
            _ => Err(Error::field("device_id", "must have 1 to 255 characters")),
        }
    }
}

/// A device's name, as its owner or its client gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    const LIMIT: usize = 255;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text::clean(text);
        match name.chars().count() {
            1..=Self::LIMIT => Ok(Self(name)),
            _ => Err(Error::field("device_name", "must have 1 to 255 characters")),
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedReason {
    /// Its owner signed out on it.
    SignedOut,
    /// Its owner signed it out from another session.
    SignedOutRemotely,
    /// An administrator ended it.
    Admin,
    /// Not used for too long, or open for too long.
    Expired,
    /// A spent refresh token was used again.
    ReuseDetected,
    /// Its owner's password was changed.
    PasswordChanged,
    /// Its owner's account was disabled.
    AccountDisabled,
    /// Somebody signed in again from the same browser.
    Replaced,
    /// Its owner had more sessions than allowed.
    Limit,
}

impl EndedReason {
    const ALL: [Self; 9] = [
        Self::SignedOut,
        Self::SignedOutRemotely,
        Self::Admin,
        Self::Expired,
        Self::ReuseDetected,
        Self::PasswordChanged,
        Self::AccountDisabled,
        Self::Replaced,
        Self::Limit,
    ];

    /// The name it is kept and shown under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutRemotely => "signed_out_remotely",
            Self::Admin => "admin",
            Self::Expired => "expired",
            Self::ReuseDetected => "reuse_detected",
            Self::PasswordChanged => "password_changed",
            Self::AccountDisabled => "account_disabled",
            Self::Replaced => "replaced",
            Self::Limit => "limit",
        }
    }
}

impl FromStr for EndedReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no reason"))
    }
}

impl serde::Serialize for EndedReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Through which door a session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedVia {
    /// The sign-in page; a cookie carries it.
    Browser,
    /// The JSON API; tokens carry it.
    Api,
    /// An application that signs people in itself; tokens carry it.
    Application,
}

impl OpenedVia {
    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
            Self::Application => "application",
        }
    }
}

impl FromStr for OpenedVia {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "browser" => Ok(Self::Browser),
            "api" => Ok(Self::Api),
            "application" => Ok(Self::Application),
            other => Err(format!("{other:?} is no door")),
        }
    }
}

/// Which pair of limits a session lives under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// The shorter pair.
    Brief,
    /// The longer pair: "Keep me signed in".
    Remembered,
}

fn random_text() -> Result<String, Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|fault| Error::Internal(format!("no randomness: {fault}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
