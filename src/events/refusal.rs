//! A request that was refused, and several that are counted together.

use std::borrow::Cow;
use std::net::IpAddr;

use super::EventKind;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};

/// Where a request came from, as far as it states that.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The address, as trusted proxies report it.
    pub ip: Option<IpAddr>,
    /// The user agent.
    pub user_agent: Option<String>,
}

/// A request that was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What was refused.
    pub kind: EventKind,
    /// What the kind states of it: one of a few fixed words, or a route.
    pub detail: Cow<'static, str>,
    /// The person on whose account, if it is known.
    pub user: Option<UserId>,
    /// Who made it, if they are signed in: the person and the session.
    pub by: Option<(UserId, SessionId)>,
    /// The application with whose key it was made.
    pub application: Option<ApplicationId>,
    /// Where it came from. Without it, those from everywhere are counted together: what happens all
    /// the time.
    pub source: Option<Source>,
}

/// Refused requests that are counted together.
#[derive(Debug, Clone)]
pub struct PendingRefusal {
    /// The first of them.
    pub refusal: Refusal,
    /// When that was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
    /// How many.
    pub times: u32,
}

impl Refusal {
    /// Returns the refusal on the same person, by whomever from wherever.
    pub(super) fn on_person(&self) -> Self {
        Self {
            by: None,
            source: None,
            application: None,
            ..self.clone()
        }
    }

    /// Returns the refusal from the same network, on whomever.
    pub(super) fn of_network(&self) -> Self {
        Self {
            user: None,
            by: None,
            application: None,
            ..self.clone()
        }
    }
}
