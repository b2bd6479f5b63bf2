//! Looks for changes a few times a second while anybody listens for them.

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::events::Changes;

/// A page of a device that was signed out is told within a second.
const INTERVAL: Duration = Duration::from_millis(400);

#[derive(Message)]
#[rtype(result = "()")]
struct Look;

pub(super) struct ChangeWatcher {
    changes: Changes,
}

impl ChangeWatcher {
    pub(super) fn new(changes: Changes) -> Self {
        Self { changes }
    }
}

impl Actor for ChangeWatcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(INTERVAL, |_, context| context.notify(Look));
    }
}

impl Handler<Look> for ChangeWatcher {
    /// One look at a time.
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Look, _: &mut Self::Context) -> Self::Result {
        let changes = self.changes.clone();
        let look = async move {
            if let Err(fault) = changes.look().await {
                tracing::debug!(%fault, "changes could not be looked for");
            }
        };
        AtomicResponse::new(Box::pin(look.into_actor(self).map(|(), _, _| ())))
    }
}
