//! Sees to it that a new signing key is used without a restart: reads the secrets file from time
//! to time. One that can't be read changes nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};

use crate::clock::Clock;
use crate::error::Result;
use crate::settings::Settings;
use crate::tokens::{Keys, Tokens};

/// How long a running server may take to see a new key.
const INTERVAL: Duration = Duration::from_secs(5);

pub(super) struct KeyWatcher {
    tokens: Arc<Tokens>,
    settings: Arc<Settings>,
    clock: Clock,
}

impl KeyWatcher {
    pub(super) fn new(tokens: Arc<Tokens>, settings: Settings, clock: Clock) -> Self {
        Self {
            tokens,
            settings: Arc::new(settings),
            clock,
        }
    }
}

impl Actor for KeyWatcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(INTERVAL, |this, context| {
            let (tokens, settings) = (this.tokens.clone(), this.settings.clone());
            let now = this.clock.now();
            let reading = tokio::task::spawn_blocking(move || -> Result<()> {
                tokens.renew(&Keys::load(&settings, now)?)
            });
            let look = async move {
                if let Ok(Err(fault)) = reading.await {
                    tracing::warn!(%fault, "the secrets file could not be read; the keys stay");
                }
            };
            context.spawn(look.into_actor(this));
        });
    }
}
