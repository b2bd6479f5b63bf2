//! How long a search may take.

use std::time::{Duration, Instant};

/// When a budget is over.
pub(super) struct Deadline {
    start: Instant,
    budget: Duration,
}

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "it bounds the work of a request and is no rule of the service"
    )]
    pub(super) fn after(budget: Duration) -> Self {
        Self {
            start: Instant::now(),
            budget,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.start.elapsed() >= self.budget
    }
}
