//! Writes the node's heartbeat, with what its jobs did last and do next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::nodes::{HEARTBEAT_INTERVAL, Heartbeat, Outcome};

pub(super) struct WriteHeartbeat {
    pub(super) heartbeat: Heartbeat,
    /// Whether the node stops: then no heartbeat follows its last one.
    pub(super) is_stopping: Arc<AtomicBool>,
}

impl Job for WriteHeartbeat {
    type Output = Result<()>;

    const NAME: &'static str = "write the heartbeat";

    fn interval(&self) -> Duration {
        HEARTBEAT_INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<Result<()>> {
        Box::pin(async move {
            if self.is_stopping.load(Ordering::SeqCst) {
                return Ok(());
            }
            let written = self.heartbeat.beat().await;
            if let Err(err) = &written {
                tracing::warn!(error = %Chain(err), "the heartbeat could not be written");
            }
            written
        })
    }

    fn describe(written: &Result<()>) -> Outcome {
        match written {
            Ok(()) => Outcome::done("written"),
            Err(_) => Outcome::failed(),
        }
    }
}
