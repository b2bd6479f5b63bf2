//! Who did what an event records, as its person is told: never which administrator.

use serde::Serialize;
use strum::IntoStaticStr;

use super::{DECLINED, Event, EventKind};

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
    /// Somebody who did not prove who they are.
    Unknown,
}

impl Actor {
    /// Returns words for who did it, where neither a person nor an application is recorded.
    #[must_use]
    pub fn unnamed(self) -> &'static str {
        match self {
            Self::Administrator => "an administrator, on the command line",
            Self::Unknown => "somebody unknown",
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
            (None, Some(by)) if self.user_id == Some(by) => Actor::Person,
            (None, Some(_)) if self.kind.is_refusal() => Actor::Unknown,
            (None, Some(_)) => Actor::Administrator,
            (None, None) => match self.kind {
                // Whoever else does it has an account.
                EventKind::PasswordChanged | EventKind::EmailChanged => Actor::Administrator,
                EventKind::PasswordLinkRequested
                | EventKind::VerificationLinkRequested
                | EventKind::UsedWithoutKey => Actor::Unknown,
                EventKind::EmailChangeCancelled => match self.detail.as_deref() {
                    Some(DECLINED) => Actor::Unknown,
                    _ => Actor::Administrator,
                },
                kind if kind.is_refusal() => Actor::Unknown,
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
        let is_own = match self.actor() {
            Actor::Person | Actor::Service => true,
            // Somebody else's, who is signed in, is not for them.
            Actor::Unknown => self.by_user_id.is_none(),
            Actor::Application => self.by_user_id == self.user_id,
            Actor::Administrator => false,
        };
        self.ip_address.as_deref().filter(|_| is_own)
    }

    /// Returns the name that the device had before, if a device was named and that is known.
    #[must_use]
    pub fn former_name(&self) -> Option<&str> {
        let is_naming = self.kind == EventKind::Renamed;
        self.device.as_deref().filter(|_| is_naming)
    }

    fn is_ended_by_administrator(&self) -> bool {
        let reason = self.detail.as_deref();
        reason.is_some_and(|reason| REASONS_OF_ADMINISTRATORS.contains(&reason))
    }
}
