//! Who did what an event records, as its person is told: never which administrator.

use serde::Serialize;
use strum::IntoStaticStr;

use super::{Event, EventKind};

/// Who did what an event records. Its text form is its name in the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Actor {
    /// The person themselves, or whoever had their device or a link of theirs.
    Person,
    /// An administrator, in a session of theirs or on the command line.
    Administrator,
    /// An application, with its key.
    Application,
    /// The service itself.
    Service,
}

impl Event {
    /// Returns who did it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.by_application_id, self.by_user_id) {
            (Some(_), _) => Actor::Application,
            (None, Some(by)) if by == self.user_id => Actor::Person,
            (None, Some(_)) => Actor::Administrator,
            (None, None) => match self.kind {
                // On the command line; whoever else does it has an account.
                EventKind::PasswordChanged | EventKind::EmailChanged => Actor::Administrator,
                kind if kind.is_administrative() => Actor::Administrator,
                _ => Actor::Service,
            },
        }
    }

    /// Returns the address it was done from, if that was the person's own: that of an administrator
    /// is not for them.
    #[must_use]
    pub fn own_address(&self) -> Option<&str> {
        match self.actor() {
            Actor::Person | Actor::Service => self.ip_address.as_deref(),
            Actor::Administrator | Actor::Application => None,
        }
    }
}

impl EventKind {
    /// Returns whether only administrators do it.
    #[must_use]
    pub fn is_administrative(self) -> bool {
        match self {
            Self::AccountCreated
            | Self::Invited
            | Self::Disabled
            | Self::Enabled
            | Self::RoleChanged
            | Self::ResetLinkCreated
            | Self::NameChanged
            | Self::EmailVouched
            | Self::Exported => true,
            Self::SignedIn
            | Self::Refreshed
            | Self::Renamed
            | Self::Ended
            | Self::ImpossibleTravel
            | Self::PasswordChanged
            | Self::EmailChanged
            | Self::EmailChangeRequested
            | Self::EmailVerified
            | Self::TakenBack => false,
        }
    }
}
