//! The caller of a request: a claim to a session, and the person and session that it resolves to.

use super::store::Session;
use super::values::Jti;
use crate::alerts::AlertContext;
use crate::db::{SessionId, UserId};
use crate::events::Origin;
use crate::geo::Location;
use crate::people::User;

/// The session that a genuine cookie or access token names. Whether it is live depends on its row.
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
    /// The location of this request, redacted by IP retention.
    pub location: Location,
}

impl Caller {
    /// Returns the caller as the origin of events.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            user: Some(self.user.id),
            session: Some(self.session.id),
            ip: self.location.ip.clone(),
        }
    }

    /// Returns the context of an alert about the caller's action: their session, at the location of
    /// this request.
    #[must_use]
    pub fn alert_context(&self) -> AlertContext {
        AlertContext {
            location: self.location.clone(),
            ..self.session.alert_context()
        }
    }
}
