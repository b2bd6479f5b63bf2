//! The caller with an API key.

use super::store::{ApiKey, Application};
use super::values::Scope;
use crate::clock::Timestamp;
use crate::db::ApplicationId;
use crate::error::{Error, Result};
use crate::people::Realm;

/// An application that called with a key in use.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// The application.
    pub application: Application,
    /// Its key.
    pub key: ApiKey,
}

impl ApiClient {
    /// Verifies that the key has `scope`.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`] when it lacks the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        match self.has(scope) {
            true => Ok(()),
            false => Err(Error::InsufficientScope {
                scope: scope.as_str(),
            }),
        }
    }

    /// Returns the applications whose people it acts for.
    #[must_use]
    pub fn realm(&self) -> Realm {
        Realm {
            own: self.application.id,
            has_earlier: self.application.uses_earlier,
        }
    }

    /// Returns whether it may know of a token that was made for `audience`; `None` is a token that
    /// was made for the service itself.
    #[must_use]
    pub fn may_inspect(&self, audience: Option<ApplicationId>) -> bool {
        self.has(Scope::TokensAny)
            || (self.has(Scope::Tokens) && audience == Some(self.application.id))
    }

    /// Returns whether the key has `scope`, or one that includes it.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.key.has(scope)
    }
}

/// Whether a key authenticates anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It does.
    InUse,
    /// Not any more, since it expired.
    Expired,
    /// Not any more, since it was revoked.
    Revoked,
}

impl ApiKey {
    /// Returns whether it has `scope`, or one that includes it.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        // Who may ask about every token may ask about its own, and who may write may read.
        let includes = |has: &str| {
            (has == Scope::TokensAny.as_str() && scope == Scope::Tokens)
                || (has == Scope::AdminWrite.as_str() && scope == Scope::AdminRead)
        };
        let mut scopes = self.scopes.split(' ');
        scopes.any(|has| has == scope.as_str() || includes(has))
    }

    /// Returns its state at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(at)) if at <= now => KeyState::Expired,
            (None, _) => KeyState::InUse,
        }
    }
}
