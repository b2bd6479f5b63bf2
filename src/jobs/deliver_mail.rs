//! Queues the messages that requests for new passwords cause, and sends the queued messages that
//! are due. When the SMTP server can't be reached, the other messages wait for the next interval.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::account::Accounts;
use crate::error::{Chain, Result};
use crate::mail::Delivery;
use crate::nodes::Outcome;

pub(super) struct DeliverMail {
    pub(super) accounts: Accounts,
    pub(super) delivery: Delivery,
    pub(super) interval: Duration,
}

impl Job for DeliverMail {
    /// The number of messages sent.
    type Output = Result<usize>;

    const NAME: &'static str = "send mail";

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<Result<usize>> {
        Box::pin(async move {
            if let Err(err) = self.accounts.answer_reset_requests().await {
                tracing::warn!(error = %Chain(&err), "requests for a new password could not be answered; they wait");
            }
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

    fn describe(sent: &Result<usize>) -> Outcome {
        match sent {
            Ok(n) => Outcome::count(*n, "message sent", "messages sent"),
            Err(_) => Outcome::failed(),
        }
    }
}
