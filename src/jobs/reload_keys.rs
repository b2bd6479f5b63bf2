//! Reloads the keys, so that a change of the secrets file applies without a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::account::Accounts;
use crate::error::Chain;
use crate::keys::{KeyRing, RELOAD_INTERVAL};
use crate::nodes::Outcome;

pub(super) struct ReloadKeys {
    pub(super) keys: KeyRing,
    pub(super) accounts: Accounts,
    /// Whether links that were sent are void by a revoked key, and still count as good.
    pub(super) has_void_links: AtomicBool,
}

impl Job for ReloadKeys {
    /// Whether the secrets file is good, and the links that a revoked key voided are discarded.
    type Output = bool;

    const NAME: &'static str = "reload the keys";

    fn interval(&self) -> Duration {
        RELOAD_INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<bool> {
        Box::pin(async move {
            let keys = self.keys.clone();
            match tokio::task::spawn_blocking(move || keys.reload()).await {
                Ok(voids_links) => self.has_void_links.fetch_or(voids_links, Ordering::SeqCst),
                Err(err) => {
                    tracing::error!(error = %Chain(&err), "reloading the keys stopped short");
                    return false;
                }
            };
            if !self.has_void_links.load(Ordering::SeqCst) {
                return self.keys.is_file_good();
            }
            match self.accounts.discard_sent_links().await {
                Ok(()) => {
                    self.has_void_links.store(false, Ordering::SeqCst);
                    self.keys.is_file_good()
                }
                Err(err) => {
                    tracing::error!(error = %Chain(&err), "the links that a revoked key voided are not discarded yet");
                    false
                }
            }
        })
    }

    fn describe(is_good: &bool) -> Outcome {
        match is_good {
            true => Outcome::done("the file is valid"),
            false => Outcome::failed(),
        }
    }
}
