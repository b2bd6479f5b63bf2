//! Polls for changes a few times a second while there are listeners.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::Chain;
use crate::events::Changes;
use crate::nodes::Outcome;

/// Short enough for a page on a device that was signed out to be notified within a second.
const INTERVAL: Duration = Duration::from_millis(400);

pub(super) struct PollChanges {
    pub(super) changes: Changes,
}

impl Job for PollChanges {
    /// Whether the database responded.
    type Output = bool;

    const NAME: &'static str = "poll for changes";

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<bool> {
        Box::pin(async move {
            let polled = self.changes.poll().await;
            if let Err(err) = &polled {
                tracing::debug!(error = %Chain(err), "changes could not be polled");
            }
            polled.is_ok()
        })
    }

    fn describe(is_polled: &bool) -> Outcome {
        match is_polled {
            true => Outcome::done("polled"),
            false => Outcome::failed(),
        }
    }
}
