//! Corrects the node's clock by that of a PostgreSQL database, and logs once when they differ.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::periodic::{Job, Run};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::Chain;
use crate::nodes::Outcome;

const INTERVAL: Duration = Duration::from_secs(60);
/// The offset from which the clocks differ, in microseconds.
const DIFFERENT: u64 = 1_000_000;
/// The offset from which they agree again; less, so that one about a second is not logged each
/// time.
const AGREED: u64 = 500_000;

pub(super) struct CorrectClock {
    db: Db,
    clock: Clock,
    /// Whether it is logged that the clocks differ.
    is_different: AtomicBool,
    /// Whether it is logged that the offset can't be measured.
    is_unmeasured: AtomicBool,
}

impl CorrectClock {
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            is_different: AtomicBool::new(false),
            is_unmeasured: AtomicBool::new(false),
        }
    }

    /// Corrects the clock once. When the database doesn't respond, the correction stays. Returns
    /// whether the offset could be measured.
    pub(super) async fn correct(&self) -> bool {
        let corrected = self.db.correct_clock(&self.clock).await;
        let was_unmeasured = self
            .is_unmeasured
            .swap(corrected.is_err(), Ordering::SeqCst);
        let is_measured = corrected.is_ok();
        match corrected {
            Ok(()) => self.log_offset(),
            Err(err) if !was_unmeasured => {
                tracing::warn!(error = %Chain(&err), "the offset from the database's clock can't be measured; the correction stays");
            }
            Err(_) => {}
        }
        is_measured
    }

    fn log_offset(&self) {
        let offset = self.clock.correction();
        let was_different = self.is_different.load(Ordering::SeqCst);
        let limit = if was_different { AGREED } else { DIFFERENT };
        let is_different = offset.unsigned_abs() > limit;
        if is_different == was_different {
            return;
        }
        self.is_different.store(is_different, Ordering::SeqCst);
        let offset_ms = offset / 1_000;
        match (is_different, offset > 0) {
            (true, true) => tracing::warn!(
                offset_ms,
                "the database's clock is ahead of this machine's; times are corrected by the offset; set the machine's clock"
            ),
            (true, false) => tracing::warn!(
                offset_ms,
                "the database's clock is behind this machine's; times are corrected by the offset; set the machine's clock"
            ),
            (false, _) => tracing::info!(
                offset_ms,
                "this machine's clock agrees with the database's again"
            ),
        }
    }
}

impl Job for CorrectClock {
    /// Whether the offset could be measured.
    type Output = bool;

    const NAME: &'static str = "correct the clock";

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn run(self: Arc<Self>) -> Run<bool> {
        Box::pin(async move { self.correct().await })
    }

    fn describe(is_measured: &bool) -> Outcome {
        match is_measured {
            true => Outcome::done("compared with the database's"),
            false => Outcome::failed(),
        }
    }
}
