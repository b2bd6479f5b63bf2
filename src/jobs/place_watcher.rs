//! Reads the files with places anew when they change. A broken one changes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::devices::Places;

/// Asks for a look; answers whether a file was read anew.
#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct Look;

pub(super) struct PlaceWatcher {
    places: Arc<Places>,
    interval: Duration,
}

impl PlaceWatcher {
    pub(super) fn new(places: Arc<Places>, interval: Duration) -> Self {
        Self { places, interval }
    }
}

impl Actor for PlaceWatcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.interval, |_, context| context.notify(Look));
    }
}

impl Handler<Look> for PlaceWatcher {
    /// One look at a time.
    type Result = AtomicResponse<Self, bool>;

    fn handle(&mut self, _: Look, _: &mut Self::Context) -> Self::Result {
        let places = self.places.clone();
        // A file of a hundred megabytes takes a while.
        let reading = tokio::task::spawn_blocking(move || look(&places));
        let look = async move { reading.await.unwrap_or(false) };
        AtomicResponse::new(Box::pin(look.into_actor(self).map(|is_new, _, _| is_new)))
    }
}

fn look(places: &Places) -> bool {
    let (read, faults) = places.reload();
    if read > 0 {
        tracing::info!(files = read, "files with places are read anew");
    }
    for fault in faults {
        tracing::warn!(%fault, "places.files: a file can't be used; what was known before stays");
    }
    read > 0
}
