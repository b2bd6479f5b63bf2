//! Writes the buffered uses of applications.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::periodic::{Job, LAST_FLUSH_ATTEMPTS, LAST_FLUSH_PAUSE, Run};
use crate::error::{Chain, Result};
use crate::nodes::Outcome;
use crate::sessions::{Due, Sessions};

pub(super) struct FlushApplicationUses {
    pub(super) sessions: Sessions,
    pub(super) interval: Duration,
}

impl Job for FlushApplicationUses {
    /// The number of rows changed.
    type Output = Result<usize>;

    const NAME: &'static str = "write uses of applications";

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let written = self.sessions.flush_application_uses(Due::ByNow).await;
            match &written {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "uses of applications written"),
                Err(err) => {
                    tracing::warn!(error = %Chain(err), "uses of applications could not be written; they stay buffered");
                }
            }
            written
        })
    }

    fn describe(written: &Result<usize>) -> Outcome {
        match written {
            Ok(n) => Outcome::count(*n, "use written", "uses written"),
            Err(_) => Outcome::failed(),
        }
    }
}

/// Writes all uses of applications before the process ends, in as many attempts as last uses have.
pub(super) async fn finish(sessions: &Sessions) {
    for attempt in 1..=LAST_FLUSH_ATTEMPTS {
        match sessions.flush_application_uses(Due::AtTheEnd).await {
            Ok(_) => return,
            Err(err) if attempt == LAST_FLUSH_ATTEMPTS => {
                tracing::error!(error = %Chain(&err), "uses of applications could not be written; they are lost");
            }
            Err(_) => sleep(LAST_FLUSH_PAUSE).await,
        }
    }
}
