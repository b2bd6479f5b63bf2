//! A change: the part of an event that open pages are notified of.

use super::EventKind;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};

/// That something happened.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// To whom.
    pub user: UserId,
    /// To which of their sessions, if to one.
    pub session: Option<SessionId>,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
}
