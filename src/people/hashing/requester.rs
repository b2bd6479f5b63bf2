//! Who has a password hashed.

use crate::db::SessionId;
use crate::net::SourceNetwork;
use crate::throttles::{self, Requester};

/// Who has a password hashed. Those of a lane share its work fairly, each of them being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashRequester {
    /// Somebody who is not known to be signed in, from this network.
    Visitor(SourceNetwork),
    /// The caller of a session whose row was found live.
    Session(SessionId),
    /// The command line.
    Service,
}

/// What a requester waits with. The work of one lane never waits for that of the other to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Of visitors.
    Visitors,
    /// Of those who are signed in, and of the command line.
    SignedIn,
}

impl HashRequester {
    /// Returns who has a password hashed for a try that counts in `lane`. A session counts only where
    /// it is the person's own.
    #[must_use]
    pub fn of(requester: &Requester, lane: &throttles::Lane) -> Self {
        match lane.session() {
            Some(session) => Self::Session(session),
            None => Self::Visitor(requester.network),
        }
    }

    pub(super) fn lane(self) -> Lane {
        match self {
            Self::Visitor(_) => Lane::Visitors,
            Self::Session(_) | Self::Service => Lane::SignedIn,
        }
    }
}
