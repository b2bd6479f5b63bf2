//! Offering to bind a session: only with a password. Whoever has a copy of the cookie of a session that is not
//! bound could otherwise bind it to themself.

use super::binding::Binding;
use super::stamps::ChallengeKind;
use crate::sessions::{Session, Sessions};

/// What a password was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordGiven {
    /// To open the session.
    ToSignIn,
    /// Once more within it: a key that nothing came of may be replaced.
    Again,
}

impl Sessions {
    /// Returns the sessions, bound to their browsers where there is a `binding`.
    #[must_use]
    pub fn with_binding(self, binding: Option<Binding>) -> Self {
        Self { binding, ..self }
    }

    /// Returns whether sessions are bound to browsers that can make a key.
    #[must_use]
    pub fn binds(&self) -> bool {
        self.binding.is_some()
    }

    /// Returns a session as it is here: where sessions are not bound, it is not, whatever it was before.
    #[must_use]
    pub fn as_bound(&self, session: Session) -> Session {
        Session {
            bound_at: session.bound_at.filter(|_| self.binds()),
            ..session
        }
    }

    /// Returns the challenge with which a browser is offered to bind a session for which the password was just
    /// `given`; `None` where it is not to be: sessions are not bound here, or this one is.
    #[must_use]
    pub fn offer_key(&self, session: &Session, given: PasswordGiven) -> Option<String> {
        let binding = self.binding.as_ref()?;
        let kind = match given {
            PasswordGiven::ToSignIn => ChallengeKind::Register,
            PasswordGiven::Again => ChallengeKind::Replace,
        };
        let challenge = binding.stamps.challenge(kind, session.id, self.clock.now());
        session.bound_at.is_none().then_some(challenge)
    }
}
