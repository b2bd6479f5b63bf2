//! The caller of a request: a claim to a session, and the person and session that it resolves to.

use super::store::Session;
use super::values::Jti;
use crate::alerts::AlertContext;
use crate::db::{SessionId, UserId};
use crate::events::Origin;
use crate::geo::Location;
use crate::people::User;

/// The session that a request claims to belong to. The row decides.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The session's owner.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The JTI in a cookie; an access token has none.
    pub jti: Option<Jti>,
}

/// A person whose session was found live.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The session they call from.
    pub session: Session,
    /// Where this request comes from, as far as IP retention allows.
    pub location: Location,
}

impl Caller {
    /// Returns the caller as the origin of what they do.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            user: Some(self.user.id),
            session: Some(self.session.id),
            ip: self.location.ip.clone(),
        }
    }

    /// Returns the context of an alert about what they do: their session, where it is used now.
    #[must_use]
    pub fn alert_context(&self) -> AlertContext {
        AlertContext {
            location: self.location.clone(),
            ..self.session.alert_context()
        }
    }
}
