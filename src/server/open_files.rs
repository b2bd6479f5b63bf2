//! The limit of open files, which is also that of connections: many systems start a process with
//! 1,024, and let it have more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::Chain;

/// What the limit is raised to, where the system allows that many.
const TARGET: u64 = 65_536;
/// The files that are no connections of clients: the database's, logs, and what a request opens.
const RESERVED: u64 = 256;
/// The most connections of a worker, as `actix-web` has it.
const MAX_CONNECTIONS: u64 = 25_000;

/// Raises the limit as far as it is needed and allowed. Returns the limit in force.
pub(super) fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let allowed = limit.maximum.unwrap_or(u64::MAX).min(TARGET);
    if current >= allowed {
        return current;
    }
    let raised = Rlimit {
        current: Some(allowed),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed,
        Err(err) => {
            tracing::warn!(error = %Chain(&err), limit = current, "the limit of open files could not be raised");
            current
        }
    }
}

/// Returns how many connections each of `workers` accepts, so that the database and logs can still
/// be opened when all of them are in use. Further clients wait.
pub(super) fn connections_per_worker(limit: u64, workers: usize) -> usize {
    let free = limit.saturating_sub(RESERVED).max(limit / 2);
    let workers = u64::try_from(workers).unwrap_or(u64::MAX).max(1);
    let share = (free / workers).clamp(1, MAX_CONNECTIONS);
    usize::try_from(share).unwrap_or(usize::MAX)
}

/// Returns how many streams of changes the node keeps open: `configured`, or, if that is less, half
/// of the connections of all `workers`, so that streams leave connections for everything else.
pub(super) fn limit_streams(configured: usize, limit: u64, workers: usize) -> usize {
    let connections = connections_per_worker(limit, workers).saturating_mul(workers.max(1));
    let most = (connections / 2).max(1);
    if configured > most {
        tracing::warn!(
            max_event_streams = configured,
            in_force = most,
            open_files = limit,
            "max_event_streams is more than half of the connections that the limit of open files \
             allows, and is cut: raise that limit, or lower max_event_streams"
        );
    }
    configured.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (limit, workers, expected) in [
            (1_024, 2, 384),
            (65_536, 2, 25_000),
            (65_536, 64, 1_020),
            (100, 1, 50),
            (0, 4, 1),
            (u64::MAX, 1, 25_000),
            (1_024, 0, 768),
        ] {
            assert_eq!(connections_per_worker(limit, workers), expected);
        }
    }

    #[test]
    fn streams_leave_half_of_the_connections() {
        for (configured, limit, workers, expected) in [
            (2_000, 1_024, 2, 384),
            (2_000, 65_536, 2, 2_000),
            (384, 1_024, 2, 384),
            (usize::MAX, 65_536, 1, 12_500),
            (2_000, 0, 4, 2),
            (2_000, 0, 0, 1),
            (0, 1_024, 2, 0),
            (usize::MAX, u64::MAX, usize::MAX, usize::MAX / 2),
        ] {
            assert_eq!(limit_streams(configured, limit, workers), expected);
        }
    }

    #[test]
    fn the_limit_is_raised_to_what_is_allowed() {
        let raised = raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current.unwrap_or(u64::MAX), raised);
        assert!(raised >= limit.maximum.unwrap_or(u64::MAX).min(TARGET));
    }
}
