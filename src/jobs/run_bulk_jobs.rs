//! Runs the batches of bulk jobs. While there is more to do, one run follows another at once; else the
//! database is asked for running jobs at an interval.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::sessions::Sessions;

pub(super) struct RunBulkJobs {
    sessions: Sessions,
    interval: Duration,
    /// Whether the last run left more to do.
    is_busy: AtomicBool,
}

impl RunBulkJobs {
    pub(super) fn new(sessions: Sessions, interval: Duration) -> Self {
        Self {
            sessions,
            interval,
            is_busy: AtomicBool::new(false),
        }
    }
}

impl Job for RunBulkJobs {
    /// The number of jobs with more to do.
    type Output = Result<usize>;

    fn interval(&self) -> Duration {
        match self.is_busy.load(Ordering::Relaxed) {
            true => Duration::ZERO,
            false => self.interval,
        }
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let unfinished = self.sessions.run_bulk_jobs().await;
            let is_busy = unfinished.as_ref().is_ok_and(|jobs| *jobs > 0);
            self.is_busy.store(is_busy, Ordering::Relaxed);
            if let Err(err) = &unfinished {
                tracing::warn!(error = %Chain(err), "bulk jobs could not be listed; they wait");
            }
            unfinished
        })
    }
}
