//! Adds what happened to the totals of the counters.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::nodes::Outcome;
use crate::overview::Overview;

/// Short enough for a reading to find few changes that are not added yet.
const INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct AddUpCounts {
    pub(super) overview: Overview,
}

impl Job for AddUpCounts {
    /// The number of changes added.
    type Output = Result<usize>;

    const NAME: &'static str = "add up the counters";

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let added = self.overview.add_up().await;
            if let Err(err) = &added {
                tracing::warn!(error = %Chain(err), "the counters could not be added up; the next run tries again");
            }
            added
        })
    }

    fn describe(added: &Result<usize>) -> Outcome {
        match added {
            Ok(n) => Outcome::count(*n, "change added", "changes added"),
            Err(_) => Outcome::failed(),
        }
    }
}
