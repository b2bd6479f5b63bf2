//! Sends the queued messages that are due. When the SMTP server can't be reached, the other
//! messages wait for the next interval.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::{Chain, Result};
use crate::mail::Delivery;

pub(super) struct DeliverMail {
    pub(super) delivery: Delivery,
    pub(super) interval: Duration,
}

impl Job for DeliverMail {
    /// The number of messages sent.
    type Output = Result<usize>;

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            let sent = self.delivery.send_due().await;
            match &sent {
                Ok(0) => {}
                Ok(messages) => tracing::info!(messages, "messages sent"),
                Err(err) => {
                    tracing::warn!(error = %Chain(err), "messages could not be sent; they stay queued");
                }
            }
            sent
        })
    }
}
