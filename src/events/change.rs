//! A change: the part of an event that is published to listeners.

use super::EventKind;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};

/// A change of a person's account or of one of their sessions.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// The person whose account it is.
    pub user: UserId,
    /// The session that changed, if it was one.
    pub session: Option<SessionId>,
    /// What happened.
    pub kind: EventKind,
    /// When it happened, or did last.
    pub at: Timestamp,
    /// How often it happened, if such changes are counted in one row; else once.
    pub times: i32,
}
