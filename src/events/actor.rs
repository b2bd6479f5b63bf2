//! Who did what an event records, as its person is told: never which administrator.

use serde::Serialize;
use strum::IntoStaticStr;

use super::{Event, EventKind};

/// The reasons of ends that only administrators cause.
const REASONS_OF_ADMINISTRATORS: [&str; 2] = ["admin", "account_disabled"];

/// The detail of a job that was stopped by hand.
const STOPPED_BY_HAND: &str = "requested";

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

impl Actor {
    /// Returns words for who did it, where neither a person nor an application is recorded.
    #[must_use]
    pub fn unnamed(self) -> &'static str {
        match self {
            Self::Administrator => "an administrator, on the command line",
            Self::Person | Self::Application | Self::Service => "the service",
        }
    }
}

impl Event {
    /// Returns who did it. What only administrators do is theirs also where nobody is recorded: they
    /// did it on the command line.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.by_application_id, self.by_user_id) {
            (Some(_), _) => Actor::Application,
            (None, Some(by)) if by == self.user_id => Actor::Person,
            (None, Some(_)) => Actor::Administrator,
            (None, None) => match self.kind {
                // Whoever else does it has an account.
                EventKind::PasswordChanged | EventKind::EmailChanged => Actor::Administrator,
                EventKind::AccountDeleted if self.detail.is_none() => Actor::Administrator,
                EventKind::JobStopped if self.detail.as_deref() == Some(STOPPED_BY_HAND) => {
                    Actor::Administrator
                }
                EventKind::Ended if self.is_ended_by_administrator() => Actor::Administrator,
                kind if kind.is_administrative() => Actor::Administrator,
                _ => Actor::Service,
            },
        }
    }

    /// Returns the address it was done from, if that was the person's own: that of an administrator
    /// is not for them. What a person does through their application is done from theirs.
    #[must_use]
    pub fn own_address(&self) -> Option<&str> {
        let is_own = self.by_user_id == Some(self.user_id) || self.actor() == Actor::Service;
        self.ip_address.as_deref().filter(|_| is_own)
    }

    fn is_ended_by_administrator(&self) -> bool {
        let reason = self.detail.as_deref();
        reason.is_some_and(|reason| REASONS_OF_ADMINISTRATORS.contains(&reason))
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
            | Self::DelayLifted
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
            | Self::TakenBack
            | Self::JobStopped
            | Self::AccountDeleted => false,
        }
    }
}
