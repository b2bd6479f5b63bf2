//! The allowance of each network, in memory: so many tries at once, and one more after each interval
//! (the generic cell rate algorithm of the crate `governor`). The number of networks that are
//! remembered is bounded; those beyond it share one allowance.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as LimiterClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use crate::clock::{Clock, Timestamp};

/// Allowances by key; clones share them.
#[derive(Clone)]
pub(super) struct Allowances<K: Hash + Eq + Clone> {
    limiter: Arc<RateLimiter<K, States<K>, ServiceClock, NoOpMiddleware<Nanos>>>,
    states: States<K>,
    interval: Duration,
}

/// So many at once, and one more after each interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) burst: u32,
    pub(super) interval: Duration,
}

impl<K: Hash + Eq + Clone> Allowances<K> {
    /// Returns full allowances. At most `capacity` keys have one of their own at a time.
    pub(super) fn new(rate: Rate, capacity: usize, clock: Clock) -> Self {
        let states = States(Arc::new(Shared {
            by_key: Mutex::default(),
            others: InMemoryState::default(),
            capacity,
        }));
        let interval = rate.interval.max(Duration::from_nanos(1));
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval)
            .unwrap_or(Quota::per_second(burst))
            .allow_burst(burst);
        let clock = ServiceClock::new(clock);
        Self {
            limiter: Arc::new(RateLimiter::new(quota, states.clone(), clock)),
            states,
            interval,
        }
    }

    /// Takes one; the error is how long to wait.
    pub(super) fn take(&self, key: &K) -> Result<(), Duration> {
        self.limiter
            .check_key(key)
            .map_err(|refused| refused.wait_time_from(self.limiter.clock().now()))
    }

    /// Gives one back.
    pub(super) fn refund(&self, key: &K) {
        let interval = nanos(self.interval);
        let earlier = |full_at: Option<Nanos>| match full_at {
            Some(full_at) => Ok(((), full_at.saturating_sub(interval))),
            None => Err(()),
        };
        // An error means that there is nothing to give back.
        let _ = self.states.measure_and_replace(key, earlier);
    }

    /// Forgets the keys whose allowance is full again.
    pub(super) fn forget_full(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// Returns how many keys have an allowance of their own.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// The clock of the service, as that of a limiter: the sum of its steps forward, so that who took
/// something before the clock was set back doesn't wait until it has caught up.
#[derive(Debug, Clone)]
struct ServiceClock {
    clock: Clock,
    elapsed: Arc<Mutex<(Timestamp, Duration)>>,
}

impl ServiceClock {
    fn new(clock: Clock) -> Self {
        let elapsed = Arc::new(Mutex::new((clock.now(), Duration::ZERO)));
        Self { clock, elapsed }
    }
}

impl LimiterClock for ServiceClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, sum) = *elapsed;
        let now = self.clock.now();
        *elapsed = (now, sum.saturating_add(now.since(last)));
        nanos(elapsed.1)
    }
}

/// Returns a span in nanoseconds, at most so many that sums of two don't overflow.
fn nanos(span: Duration) -> Nanos {
    const MOST: u64 = u64::MAX / 4;
    Nanos::new(u64::try_from(span.as_nanos()).map_or(MOST, |nanos| nanos.min(MOST)))
}

/// The states of at most `capacity` keys, and one that all further keys share.
struct States<K>(Arc<Shared<K>>);

struct Shared<K> {
    by_key: Mutex<HashMap<K, InMemoryState>>,
    others: InMemoryState,
    capacity: usize,
}

impl<K> Clone for States<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> StateStore for States<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let shared = &*self.0;
        let mut by_key = shared.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = by_key.get(key) {
            return state.measure_and_replace(&NotKeyed::NonKey, decide);
        }
        if by_key.len() >= shared.capacity {
            drop(by_key);
            return shared.others.measure_and_replace(&NotKeyed::NonKey, decide);
        }
        let state = InMemoryState::default();
        let decided = state.measure_and_replace(&NotKeyed::NonKey, decide)?;
        by_key.insert(key.clone(), state);
        Ok(decided)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for States<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let is_recent = |state: &InMemoryState| {
            let read = |full_at: Option<Nanos>| Err::<((), Nanos), _>(full_at);
            let full_at = state.measure_and_replace(&NotKeyed::NonKey, read).err();
            full_at
                .flatten()
                .is_some_and(|full_at| full_at > drop_below)
        };
        self.lock(|by_key| by_key.retain(|_, state| is_recent(state)));
    }

    fn shrink_to_fit(&self) {
        self.lock(HashMap::shrink_to_fit);
    }

    fn len(&self) -> usize {
        self.lock(|by_key| by_key.len())
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K> States<K> {
    fn lock<T>(&self, work: impl FnOnce(&mut HashMap<K, InMemoryState>) -> T) -> T {
        let by_key = self.0.by_key.lock();
        work(&mut by_key.unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use chrono::DateTime;

    use super::*;
    use crate::net::SourceNetwork;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock() -> Clock {
        let start = DateTime::parse_from_rfc3339("2031-05-17T08:30:00Z").unwrap();
        Clock::fixed(start.to_utc())
    }

    fn rate(burst: u32) -> Rate {
        Rate {
            burst,
            interval: SECOND,
        }
    }

    fn take_all<K: Hash + Eq + Clone>(allowances: &Allowances<K>, key: &K) -> usize {
        (0..1_000)
            .take_while(|_| allowances.take(key).is_ok())
            .count()
    }

    #[test]
    fn a_burst_is_refilled_one_by_one_and_the_waiting_time_is_true() {
        let clock = clock();
        let allowances = Allowances::new(rate(3), 10, clock.clone());
        assert_eq!(take_all(&allowances, &'a'), 3);
        assert_eq!(allowances.take(&'a'), Err(SECOND));
        clock.advance(SECOND / 2);
        assert_eq!(allowances.take(&'a'), Err(SECOND / 2));
        clock.advance(SECOND / 2);
        assert_eq!(take_all(&allowances, &'a'), 1);
        assert_eq!(take_all(&allowances, &'b'), 3);
        clock.advance(SECOND * 1_000_000);
        assert_eq!(take_all(&allowances, &'a'), 3);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let clock = clock();
        let allowances = Allowances::new(rate(3), 10, clock.clone());
        clock.advance(SECOND * 3600);
        assert_eq!(take_all(&allowances, &'a'), 3);
        clock.set_back(SECOND * 3600);
        assert_eq!(allowances.take(&'a'), Err(SECOND));
        clock.advance(SECOND);
        assert_eq!(take_all(&allowances, &'a'), 1);
    }

    #[test]
    fn what_is_given_back_can_be_taken_once_more_and_no_oftener() {
        let allowances = Allowances::new(rate(3), 10, clock());
        allowances.refund(&'a');
        for _ in 0..100 {
            assert!(allowances.take(&'a').is_ok());
            allowances.refund(&'a');
        }
        allowances.refund(&'a');
        assert_eq!(take_all(&allowances, &'a'), 3);
        allowances.refund(&'a');
        assert_eq!(take_all(&allowances, &'a'), 1);
    }

    #[test]
    fn a_million_networks_take_bounded_memory_and_the_last_ones_are_throttled_together() {
        const CAPACITY: usize = 10_000;

        let clock = clock();
        let allowances = Allowances::new(rate(3), CAPACITY, clock.clone());
        let mut admitted = 0;
        for number in 0..1_000_000u32 {
            let network = SourceNetwork::of(Some(IpAddr::V4(number.into())));
            admitted += usize::from(allowances.take(&network).is_ok());
        }
        assert_eq!(allowances.len(), CAPACITY);
        assert_eq!(admitted, CAPACITY + 3);
        clock.advance(SECOND * 3);
        allowances.forget_full();
        assert_eq!(allowances.len(), 0);
    }
}
