//! Reloads the databases of places when their files change. In place of a broken file, the last
//! version stays in use.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::error::Chain;
use crate::geo::Places;
use crate::nodes::Outcome;

pub(super) struct ReloadPlaces {
    pub(super) places: Arc<Places>,
    pub(super) interval: Duration,
}

impl Job for ReloadPlaces {
    /// Whether a file was reloaded.
    type Output = bool;

    const NAME: &'static str = "reload places";

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<bool> {
        // On a blocking thread: reading a file of a hundred megabytes takes a while.
        let reload = tokio::task::spawn_blocking(move || reload(&self.places));
        Box::pin(async move { reload.await.unwrap_or(false) })
    }

    fn describe(is_reloaded: &bool) -> Outcome {
        Outcome::done(if *is_reloaded {
            "reloaded"
        } else {
            "nothing to do"
        })
    }
}

fn reload(places: &Places) -> bool {
    let (read, errors) = places.reload();
    if read > 0 {
        tracing::info!(files = read, "databases of places reloaded");
    }
    for err in errors {
        tracing::warn!(error = %Chain(&err), "places.files: a file can't be used; its last version stays");
    }
    read > 0
}
