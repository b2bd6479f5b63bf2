//! Reloads the keys, so that a change of the secrets file applies without a restart.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::keys::{KeyRing, RELOAD_INTERVAL};

pub(super) struct ReloadKeys {
    pub(super) keys: KeyRing,
}

impl Job for ReloadKeys {
    type Output = ();

    fn interval(&self) -> Duration {
        RELOAD_INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<()> {
        let reload = tokio::task::spawn_blocking(move || self.keys.reload());
        Box::pin(async move {
            if let Err(err) = reload.await {
                tracing::error!(error = %err, "reloading the keys stopped short");
            }
        })
    }
}
