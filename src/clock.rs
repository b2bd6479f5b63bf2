//! Time: the clock that the whole service reads, and the timestamps it returns. Nothing else reads
//! the system's clock, so a test that sets this one controls all of it.

use std::fmt;
use std::ops::{Add, Deref, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Serialize, Serializer};

/// The longest step back of its source that a clock hides: meanwhile it stands still, so that what
/// one node writes stays in order. A longer step is taken, since an hour of one time would be
/// worse.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(2);

/// A clock; clones share its time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Arc<Corrected>),
    /// Microseconds since the Unix epoch.
    Fixed(Arc<AtomicI64>),
}

/// The system's clock and its correction, in microseconds.
#[derive(Debug)]
struct Corrected {
    /// What is added to the system's clock.
    correction: AtomicI64,
    /// The latest time returned.
    latest: AtomicI64,
}

impl Corrected {
    /// Returns `micros`, or the latest time returned if that is later by no more than
    /// [`LONGEST_STANDSTILL`].
    fn forward(&self, micros: i64) -> i64 {
        let longest = duration_micros(LONGEST_STANDSTILL);
        let is_step = |latest: i64| latest <= micros || latest.saturating_sub(micros) > longest;
        let update = |latest| is_step(latest).then_some(micros);
        match self
            .latest
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, update)
        {
            Ok(_) => micros,
            Err(latest) => latest,
        }
    }
}

impl Clock {
    /// Returns the system's clock, uncorrected.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(Arc::new(Corrected {
            correction: AtomicI64::new(0),
            latest: AtomicI64::new(i64::MIN),
        })))
    }

    /// Returns a clock that stands at `at` until it is moved with [`Clock::advance`].
    #[must_use]
    pub fn fixed(at: DateTime<Utc>) -> Self {
        let micros = AtomicI64::new(at.timestamp_micros());
        Self(Source::Fixed(Arc::new(micros)))
    }

    /// Returns the time now, to the microsecond. It never runs backwards by a short step.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.0 {
            Source::System(system) => {
                let correction = system.correction.load(Ordering::SeqCst);
                system.forward(system_micros().saturating_add(correction))
            }
            Source::Fixed(micros) => micros.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros)
            .unwrap_or_default()
            .into()
    }

    /// Returns the time of the system's clock without the correction, in microseconds since the
    /// Unix epoch; `None` for a fixed clock, which is never corrected.
    #[must_use]
    pub fn uncorrected_micros(&self) -> Option<i64> {
        match &self.0 {
            Source::System(_) => Some(system_micros()),
            Source::Fixed(_) => None,
        }
    }

    /// Adds `micros` to the system's clock from now on, in place of the former correction. A fixed
    /// clock stays as it is.
    pub fn correct(&self, micros: i64) {
        if let Source::System(system) = &self.0 {
            system.correction.store(micros, Ordering::SeqCst);
        }
    }

    /// Returns what is added to the system's clock, in microseconds.
    #[must_use]
    pub fn correction(&self) -> i64 {
        match &self.0 {
            Source::System(system) => system.correction.load(Ordering::SeqCst),
            Source::Fixed(_) => 0,
        }
    }

    /// Moves a fixed clock forward by `span`. The system's clock stays as it is.
    pub fn advance(&self, span: Duration) {
        if let Source::Fixed(micros) = &self.0 {
            micros.fetch_add(duration_micros(span), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads it")]
fn system_micros() -> i64 {
    Utc::now().timestamp_micros()
}

fn duration_micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A moment in UTC, to the microsecond: the precision that both databases store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Formats the moment by RFC 3339 in UTC, to the microsecond: `2026-11-23T20:50:32.123456Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// Returns how long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }
}

impl Deref for Timestamp {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0 + span)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0 - span)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
