//! Marks sessions past their time as ended and deletes ended ones past their retention. A database
//! that fails is met again at the next interval.

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::error::Result;
use crate::sessions::{Sessions, Swept};

/// Asks for one round.
#[derive(Message)]
#[rtype(result = "Result<Swept>")]
pub(super) struct Sweep;

pub(super) struct Sweeper {
    sessions: Sessions,
    interval: Duration,
}

impl Sweeper {
    pub(super) fn new(sessions: Sessions, interval: Duration) -> Self {
        Self { sessions, interval }
    }
}

impl Actor for Sweeper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.interval, |_, context| context.notify(Sweep));
    }
}

impl Handler<Sweep> for Sweeper {
    /// One round at a time.
    type Result = AtomicResponse<Self, Result<Swept>>;

    fn handle(&mut self, _: Sweep, _: &mut Self::Context) -> Self::Result {
        let sessions = self.sessions.clone();
        AtomicResponse::new(Box::pin(
            async move { sweep(&sessions).await }
                .into_actor(self)
                .map(|swept, _, _| swept),
        ))
    }
}

/// Last uses go first: one that waits in memory may keep a session alive.
async fn sweep(sessions: &Sessions) -> Result<Swept> {
    let swept = match sessions.flush_last_uses().await {
        Ok(_) => sessions.sweep().await,
        Err(fault) => Err(fault),
    };
    match &swept {
        Ok(done) if *done == Swept::default() => tracing::debug!("nothing to sweep"),
        Ok(done) => tracing::info!(expired = done.expired, purged = done.purged, "swept"),
        Err(fault) => {
            tracing::warn!(%fault, "sweeping failed; it is tried again at the next interval")
        }
    }
    swept
}
