//! Writes the buffered last uses.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::nodes::Outcome;
use crate::sessions::Sessions;

pub(super) struct FlushBuffer {
    pub(super) sessions: Sessions,
    pub(super) interval: Duration,
}

impl Job for FlushBuffer {
    /// The number of rows changed.
    type Output = Result<usize>;

    const NAME: &'static str = "write last uses";

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let written = self.sessions.flush_last_uses().await;
            match &written {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "last uses written"),
                Err(err) => {
                    tracing::warn!(error = %Chain(err), "last uses could not be written; they stay buffered");
                }
            }
            written
        })
    }

    fn describe(written: &Result<usize>) -> Outcome {
        match written {
            Ok(n) => Outcome::count(*n, "session updated", "sessions updated"),
            Err(_) => Outcome::failed(),
        }
    }
}
