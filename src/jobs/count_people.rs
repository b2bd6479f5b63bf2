//! Counts the people with live sessions where there are too many to count them for each page.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::nodes::Outcome;
use crate::overview::Overview;

/// How often it is found out whether they are to be counted; one node counts every ten minutes.
const INTERVAL: Duration = Duration::from_secs(60);

pub(super) struct CountPeople {
    pub(super) overview: Overview,
}

impl Job for CountPeople {
    /// Whether this node counted.
    type Output = Result<bool>;

    const NAME: &'static str = "count people";

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<Result<bool>> {
        Box::pin(async move {
            let counted = self.overview.count_people().await;
            if let Err(err) = &counted {
                tracing::warn!(error = %Chain(err), "the people with live sessions could not be counted");
            }
            counted
        })
    }

    fn describe(counted: &Result<bool>) -> Outcome {
        match counted {
            Ok(true) => Outcome::done("counted"),
            Ok(false) => Outcome::done("nothing to do"),
            Err(_) => Outcome::failed(),
        }
    }
}
