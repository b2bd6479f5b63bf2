//! Writes the last uses that wait in memory, batch by batch.

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::error::Result;
use crate::sessions::Sessions;

/// Asks for a flush.
#[derive(Message)]
#[rtype(result = "Result<usize>")]
pub(super) struct Flush;

pub(super) struct LastUseWriter {
    sessions: Sessions,
    interval: Duration,
}

impl LastUseWriter {
    pub(super) fn new(sessions: Sessions, interval: Duration) -> Self {
        Self { sessions, interval }
    }
}

impl Actor for LastUseWriter {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.interval, |_, context| context.notify(Flush));
    }
}

impl Handler<Flush> for LastUseWriter {
    /// One flush at a time.
    type Result = AtomicResponse<Self, Result<usize>>;

    fn handle(&mut self, _: Flush, _: &mut Self::Context) -> Self::Result {
        let sessions = self.sessions.clone();
        AtomicResponse::new(Box::pin(
            async move { flush(&sessions).await }
                .into_actor(self)
                .map(|written, _, _| written),
        ))
    }
}

async fn flush(sessions: &Sessions) -> Result<usize> {
    let written = sessions.flush_last_uses().await;
    match &written {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "last uses written"),
        Err(fault) => {
            tracing::warn!(%fault, "last uses could not be written; they wait for the next flush")
        }
    }
    written
}
