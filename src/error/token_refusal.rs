//! Why a token is not valid.

use strum::IntoStaticStr;

use super::Failure;

/// Why a token is not valid. Its text form is recorded; its words are for the log.
#[derive(Debug, Clone, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum TokenRefusal {
    /// It is no token, or not sent as one.
    #[error("it is no token, or not sent as one")]
    Malformed,
    /// It is longer than any token.
    #[error("it is too long")]
    TooLong,
    /// Nobody of the service signed it, or it was changed since.
    #[error("it is not genuine")]
    NotGenuine(#[source] Option<Failure>),
    /// It names a key that the service doesn't have.
    #[error("its key is unknown")]
    UnknownKey,
    /// It is a token for something else.
    #[error("it is of another type")]
    AnotherType,
    /// It is genuine, and for another audience.
    #[error("it is for another audience")]
    AnotherAudience,
    /// It is of a person of another application than the one that sent it.
    #[error("it is of a person of another application")]
    AnotherApplication,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its session has ended.
    #[error("its session is over")]
    SessionOver,
    /// Its person was deleted.
    #[error("its owner is gone")]
    OwnerGone,
    /// It is a refresh token that was used before.
    #[error("it was spent before")]
    Spent,
}

impl TokenRefusal {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// Returns whether honest clients send such tokens all the time.
    #[must_use]
    pub fn is_routine(&self) -> bool {
        matches!(self, Self::Expired | Self::SessionOver | Self::OwnerGone)
    }
}
