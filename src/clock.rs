//! Time: the clock that the whole service reads, and the timestamps it returns. Nothing else reads
//! the system's clock, so a test that sets this one controls all of it.

mod zone;

use std::fmt;
use std::ops::{Add, Deref, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

pub use self::zone::{OfferedZone, TimeZone};

/// The longest step back of its source that a clock hides: meanwhile it stands still, so that what
/// one node writes stays in order. A longer step is taken, since an hour of one time would be
/// worse.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(2);

/// The longest span of time that settings and commands take: 100 years, which any clock and timer
/// can be moved by.
pub const MAX_SPAN: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

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
        Timestamp::clamped(micros)
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
            let later = |now: i64| Some(now.saturating_add(duration_micros(span)));
            // The closure always returns a value.
            let _ = micros.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        }
    }

    /// Sets a fixed clock back by `span`. The system's clock stays as it is.
    pub fn set_back(&self, span: Duration) {
        if let Source::Fixed(micros) = &self.0 {
            micros.fetch_sub(duration_micros(span), Ordering::SeqCst);
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

/// A moment in UTC, to the microsecond: the precision that both databases store. It lies in the
/// years 1 to 9999, which every format and database can hold. Operators stop at those bounds, so no
/// arithmetic on a time overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

/// 0001-01-01T00:00:00Z, in microseconds since the Unix epoch.
const MIN_MICROS: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z, in microseconds since the Unix epoch.
const MAX_MICROS: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// Returns the moment `micros` microseconds after the Unix epoch; `None` outside the years 1 to
    /// 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        let is_in_range = (MIN_MICROS..=MAX_MICROS).contains(&micros);
        is_in_range.then(|| Self::clamped(micros))
    }

    /// Returns the moment `micros` microseconds after the Unix epoch, or the nearest one in the
    /// years 1 to 9999.
    #[must_use]
    pub fn clamped(micros: i64) -> Self {
        let micros = micros.clamp(MIN_MICROS, MAX_MICROS);
        Self(DateTime::from_timestamp_micros(micros).unwrap_or_default())
    }

    /// Formats the moment by RFC 3339 in UTC, to the microsecond: `2026-11-23T20:50:32.123456Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// Returns how long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.timestamp_micros() - earlier.0.timestamp_micros();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self::clamped(at.timestamp_micros())
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
        let micros = self.0.timestamp_micros();
        Self::clamped(micros.saturating_add(duration_micros(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        let micros = self.0.timestamp_micros();
        Self::clamped(micros.saturating_sub(duration_micros(span)))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any time, more often one at a bound.
    fn micros() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            MIN_MICROS..=MAX_MICROS,
            proptest::sample::select(vec![
                i64::MIN,
                -8_334_601_228_800_000_000,
                MIN_MICROS - 1,
                MIN_MICROS,
                -1,
                0,
                MAX_MICROS,
                MAX_MICROS + 1,
                8_210_266_876_799_999_999,
                i64::MAX,
            ]),
        ]
    }

    fn span() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s, n)),
            any::<u64>().prop_map(Duration::from_micros),
            Just(Duration::MAX),
        ]
    }

    fn is_in_range(at: Timestamp) -> bool {
        let micros = at.timestamp_micros();
        (MIN_MICROS..=MAX_MICROS).contains(&micros) && at.to_rfc3339().len() == 27
    }

    proptest! {
        #[test]
        fn arithmetic_stays_in_range(micros in micros(), other in micros(), span in span()) {
            let at = Timestamp::clamped(micros);
            prop_assert!(is_in_range(at));
            prop_assert!(is_in_range(at + span) && at + span >= at);
            prop_assert!(is_in_range(at - span) && at - span <= at);
            let other = Timestamp::clamped(other);
            let (earlier, later) = (at.min(other), at.max(other));
            prop_assert_eq!(earlier + later.since(earlier), later);
            prop_assert_eq!(later - later.since(earlier), earlier);
            prop_assert_eq!(earlier.since(later), Duration::ZERO);
        }

        #[test]
        fn every_time_of_chrono_has_a_timestamp(seconds in any::<i64>(), nanos in any::<u32>()) {
            if let Some(at) = DateTime::from_timestamp(seconds, nanos) {
                prop_assert!(is_in_range(at.into()));
            }
        }

        #[test]
        fn only_times_in_range_are_read(micros in micros()) {
            let read = Timestamp::from_micros(micros);
            prop_assert_eq!(
                read.map(|at| at.timestamp_micros()),
                Some(micros).filter(|micros| (MIN_MICROS..=MAX_MICROS).contains(micros))
            );
        }

        #[test]
        fn a_fixed_clock_can_be_moved_by_any_span(micros in micros(), span in span()) {
            let clock = Clock::fixed(*Timestamp::clamped(micros));
            clock.advance(span);
            clock.advance(span);
            prop_assert!(is_in_range(clock.now()));
        }
    }

    #[test]
    fn chronos_own_bounds_have_a_timestamp() {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(is_in_range(at.into()), "{at}");
        }
    }
}
