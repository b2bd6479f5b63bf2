//! Reloads the signing keys, so that a new one is used without a restart. When the secrets file
//! can't be read, the keys stay as they are.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::clock::{Clock, Timestamp};
use crate::error::{Chain, Result};
use crate::settings::Settings;
use crate::tokens::{Keys, Tokens};

/// The longest time until a running server uses a new key.
const INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct ReloadKeys {
    pub(super) tokens: Arc<Tokens>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
}

impl ReloadKeys {
    fn reload(&self, now: Timestamp) -> Result<()> {
        self.tokens.update_keys(&Keys::load(&self.settings, now)?)
    }
}

impl Job for ReloadKeys {
    type Output = ();

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<()> {
        let now = self.clock.now();
        let reload = tokio::task::spawn_blocking(move || self.reload(now));
        Box::pin(async move {
            if let Ok(Err(err)) = reload.await {
                tracing::warn!(error = %Chain(&err), "the secrets file could not be read; the keys stay");
            }
        })
    }
}
