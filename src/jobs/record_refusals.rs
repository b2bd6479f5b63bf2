//! Records refused requests in the security log.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::account::RefusalRecorder;
use crate::error::{Chain, Result};
use crate::nodes::Outcome;

/// How long a refused request is not in the log at most, while the database responds. A look at an
/// empty buffer costs nothing.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct RecordRefusals {
    pub(super) refusals: RefusalRecorder,
}

impl Job for RecordRefusals {
    /// The number of rows.
    type Output = Result<usize>;

    const NAME: &'static str = "record refused requests";

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let recorded = self.refusals.record().await;
            match &recorded {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "refused requests recorded"),
                Err(err) => {
                    tracing::warn!(error = %Chain(err), "refused requests could not be recorded; they stay buffered");
                }
            }
            recorded
        })
    }

    fn describe(recorded: &Result<usize>) -> Outcome {
        match recorded {
            Ok(n) => Outcome::count(*n, "event recorded", "events recorded"),
            Err(_) => Outcome::failed(),
        }
    }
}
