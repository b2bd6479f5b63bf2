//! Marks sessions past their time as expired, forgets rotations past the grace period, and purges
//! sessions, events, alerts, devices, messages, bulk jobs, and the links and former addresses of
//! people, past their retention. A failed sweep is retried at the next interval.

use std::sync::Arc;
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::alerts::Alerts;
use crate::devices::Devices;
use crate::error::{Chain, Result};
use crate::events::EventRetention;
use crate::nodes::Outcome;
use crate::people::People;
use crate::sessions::Sessions;
use crate::throttles::Throttles;

pub(super) struct Sweep {
    pub(super) sessions: Sessions,
    pub(super) alerts: Alerts,
    pub(super) devices: Devices,
    pub(super) people: People,
    pub(super) throttles: Throttles,
    pub(super) events: EventRetention,
    pub(super) interval: Duration,
}

/// The numbers of rows that one sweep changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Sessions marked as expired.
    pub expired: usize,
    /// Sessions whose recent rotations were forgotten.
    pub rotations: usize,
    /// Sessions purged.
    pub sessions: usize,
    /// Events purged.
    pub events: usize,
    /// Alerts purged.
    pub alerts: usize,
    /// Devices purged.
    pub devices: usize,
    /// Queued messages purged.
    pub messages: usize,
    /// Links and former addresses of people purged.
    pub addresses: usize,
    /// Bulk jobs purged.
    pub jobs: usize,
    /// Forgotten failures purged.
    pub throttles: usize,
}

impl SweepReport {
    /// Returns what the sweep did, in a few words.
    fn outcome(self) -> Outcome {
        let parts = [
            (self.expired, "expired"),
            (self.sessions, "sessions purged"),
            (self.events, "events purged"),
            (self.alerts, "alerts purged"),
            (self.devices, "devices purged"),
            (self.messages, "messages purged"),
            (self.addresses, "links and addresses purged"),
            (self.jobs, "bulk jobs purged"),
            (self.throttles, "failures forgotten"),
        ];
        let words: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        match words.is_empty() {
            true => Outcome::done("nothing to do"),
            false => Outcome::done(words.join(", ")),
        }
    }

    fn has_only_rotations(self) -> bool {
        let rotations = self.rotations;
        self == Self {
            rotations,
            ..Self::default()
        }
    }
}

impl Sweep {
    /// Sweeps once. Last uses are written first, since a buffered one may extend a session.
    async fn sweep(&self) -> Result<SweepReport> {
        self.sessions.flush_last_uses().await?;
        let report = SweepReport {
            expired: self.sessions.expire().await?,
            rotations: self.sessions.clear_rotations().await?,
            sessions: self.sessions.purge().await?,
            events: self.events.purge().await?,
            alerts: self.alerts.purge().await?,
            devices: self.devices.purge().await?,
            messages: self.alerts.purge_messages().await?,
            addresses: self.people.purge().await?,
            jobs: self.sessions.purge_bulk_jobs().await?,
            throttles: self.throttles.purge().await?,
        };
        self.alerts.redact_unanswered().await?;
        // Last, since after an update there may be many.
        self.sessions.fill_ip_keys().await?;
        self.events.fill_ip_keys().await?;
        Ok(report)
    }
}

impl Job for Sweep {
    type Output = Result<SweepReport>;

    const NAME: &'static str = "sweep";

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run(self: Arc<Self>) -> Run<Result<SweepReport>> {
        Box::pin(async move {
            let swept = self.sweep().await;
            match &swept {
                // A busy service has rotations to forget at every sweep.
                Ok(report) if report.has_only_rotations() => {
                    tracing::debug!(rotations = report.rotations, "nothing else to sweep");
                }
                Ok(SweepReport {
                    expired,
                    rotations,
                    sessions,
                    events,
                    alerts,
                    devices,
                    messages,
                    addresses,
                    jobs,
                    throttles,
                }) => {
                    tracing::info!(
                        expired, rotations, sessions, events, alerts, devices, messages, addresses,
                        jobs, throttles, "swept"
                    );
                }
                Err(err) => {
                    tracing::warn!(error = %Chain(err), "the sweep failed; the next one tries again");
                }
            }
            swept
        })
    }

    fn describe(swept: &Result<SweepReport>) -> Outcome {
        match swept {
            Ok(report) => report.outcome(),
            Err(_) => Outcome::failed(),
        }
    }
}
