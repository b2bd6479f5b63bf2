//! Polls for changes a few times a second while anybody listens for them.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::Chain;
use crate::events::Changes;

/// A page of a device that was signed out is notified within a second.
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
