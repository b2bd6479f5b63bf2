//! How long the next try has to wait after so many failures.

use std::time::Duration;

use crate::clock::Timestamp;

/// The delays: 1 second after the last failure that is free, then twice as long each time, up to 15
/// minutes.
const DELAYS: [Duration; STEPS] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
    Duration::from_secs(64),
    Duration::from_secs(128),
    Duration::from_secs(256),
    Duration::from_secs(512),
    Duration::from_secs(15 * 60),
];
/// The number of different delays.
pub(super) const STEPS: usize = 11;

/// The delays, and the failures without one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delays {
    pub(super) free_failures: i32,
}

/// For each delay, the failures below which a shorter one is enough, and the time at or before which
/// the last try must have been for it to be over.
pub(super) type Deadlines = [(i32, Timestamp); STEPS];

impl Delays {
    /// Returns how long a try waits after the last one, in a lane with so many failures.
    pub(super) fn after(self, failures: i32) -> Duration {
        let beyond = failures.saturating_sub(self.free_failures);
        match usize::try_from(beyond) {
            Ok(step) => DELAYS[step.min(STEPS - 1)],
            Err(_) => Duration::ZERO,
        }
    }

    /// Returns when each delay is over, for a try at `now`.
    pub(super) fn deadlines(self, now: Timestamp) -> Deadlines {
        let mut failures = self.free_failures;
        DELAYS.map(|delay| {
            failures = failures.saturating_add(1);
            (failures, now - delay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_from_one_second_to_a_quarter_of_an_hour() {
        let delays = Delays { free_failures: 5 };
        let seconds = |failures| delays.after(failures).as_secs();
        assert_eq!((0..5).map(seconds).sum::<u64>(), 0);
        let grown: Vec<u64> = (5..18).map(seconds).collect();
        assert_eq!(
            grown,
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
        );
        assert_eq!(seconds(i32::MAX), 900);
    }
}
