//! The limits of sessions: an idle and an absolute one, in a standard and a longer pair.

use std::time::Duration;

use super::values::SessionPersistence;
use crate::clock::Timestamp;
use crate::settings::SessionSettings;

/// The limits of the service, from its settings.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    standard: Limits,
    remembered: Limits,
    pub(super) retention: Duration,
    pub(super) step_up_window: Duration,
    pub(super) max_per_person: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    idle: Duration,
    absolute: Duration,
}

impl Policy {
    pub(super) fn new(settings: &SessionSettings) -> Self {
        Self {
            standard: Limits {
                idle: settings.idle_limit,
                absolute: settings.absolute_limit,
            },
            remembered: Limits {
                idle: settings.remembered_idle_limit,
                absolute: settings.remembered_absolute_limit,
            },
            retention: settings.retention,
            step_up_window: settings.step_up_window,
            max_per_person: Some(settings.most_per_person).filter(|max| *max > 0),
        }
    }

    fn limits(&self, persistence: SessionPersistence) -> Limits {
        match persistence {
            SessionPersistence::Standard => self.standard,
            SessionPersistence::Remembered => self.remembered,
        }
    }

    /// Returns the absolute expiry of a session created at `now`.
    pub(super) fn absolute_expiry(
        &self,
        persistence: SessionPersistence,
        now: Timestamp,
    ) -> Timestamp {
        now + self.limits(persistence).absolute
    }

    /// Returns the longest idle limit of a session. One beyond the absolute limit says nothing.
    pub(super) fn longest_idle(&self, persistence: SessionPersistence) -> Duration {
        let Limits { idle, absolute } = self.limits(persistence);
        idle.min(absolute)
    }
}
