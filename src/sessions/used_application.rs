//! What a session used of an application.

use std::borrow::Cow;

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};

/// As what a session reached an application. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, Serialize)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum ReachedAs {
    /// A host behind forward-auth.
    Host,
    /// A client that presented a token of the session, or the session's person, with its API key.
    Client,
    /// The audience of an access token.
    Audience,
}

impl ReachedAs {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a session reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UsedApplication {
    /// A host behind forward-auth: one of the allowed ones, with its port where that isn't the default.
    Host(String),
    /// An application that called with its API key.
    Client(ApplicationId),
    /// An application that an access token was issued for.
    Audience(ApplicationId),
}

impl UsedApplication {
    /// Returns as what it was reached.
    pub(super) fn kind(&self) -> ReachedAs {
        match self {
            Self::Host(_) => ReachedAs::Host,
            Self::Client(_) => ReachedAs::Client,
            Self::Audience(_) => ReachedAs::Audience,
        }
    }

    /// Returns the name that is stored: the host, or the application's id.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Host(host) => Cow::Borrowed(host),
            Self::Client(id) | Self::Audience(id) => Cow::Owned(id.to_string()),
        }
    }
}

/// A use of an application.
#[derive(Debug, Clone)]
pub(super) struct ApplicationUse {
    pub(super) session_id: SessionId,
    pub(super) user_id: UserId,
    pub(super) application: UsedApplication,
    pub(super) at: Timestamp,
}
