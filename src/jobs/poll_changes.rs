//! Polls for changes a few times a second while there are listeners.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::Chain;
use crate::events::Changes;

/// Short enough for a page on a device that was signed out to be notified within a second.
const INTERVAL: Duration = Duration::from_millis(400);

pub(super) struct PollChanges {
    pub(super) changes: Changes,
}

impl Job for PollChanges {
    type Output = ();

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<()> {
        Box::pin(async move {
            if let Err(err) = self.changes.poll().await {
                tracing::debug!(error = %Chain(&err), "changes could not be polled");
            }
        })
    }
}
