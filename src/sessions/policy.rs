//! How long sessions live: an idle and an absolute limit, in a shorter and a longer pair.

use std::time::Duration;

use super::values::Stay;
use crate::db::Timestamp;
use crate::people::IdleLimit;
use crate::settings::SessionSettings;

/// The limits in force.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    brief: Limits,
    remembered: Limits,
    pub(super) retention: Duration,
    pub(super) step_up_window: Duration,
    pub(super) most_per_person: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    idle: Duration,
    absolute: Duration,
}

impl Policy {
    pub(super) fn new(settings: &SessionSettings) -> Self {
        Self {
            brief: Limits {
                idle: settings.idle_limit,
                absolute: settings.absolute_limit,
            },
            remembered: Limits {
                idle: settings.remembered_idle_limit,
                absolute: settings.remembered_absolute_limit,
            },
            retention: settings.retention,
            step_up_window: settings.step_up_window,
            most_per_person: Some(settings.most_per_person).filter(|most| *most > 0),
        }
    }

    fn limits(&self, stay: Stay) -> Limits {
        match stay {
            Stay::Brief => self.brief,
            Stay::Remembered => self.remembered,
        }
    }

    /// When a session opened at `now` ends at the latest.
    pub(super) fn absolute_end(&self, stay: Stay, now: Timestamp) -> Timestamp {
        now + self.limits(stay).absolute
    }

    /// How long a session may go unused: the policy's limit, or the stricter one its owner chose.
    pub(super) fn idle_limit(&self, stay: Stay, chosen: Option<IdleLimit>) -> Duration {
        let idle = self.limits(stay).idle;
        chosen.map_or(idle, |chosen| idle.min(chosen.span()))
    }
}
