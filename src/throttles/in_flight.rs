//! The tries of a lane that are being decided on this node. Only a few are at once: the others wait, so
//! that right ones that come together are not refused for failures that none of them is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The tries of a lane that wait, at most.
const MOST_WAITING: usize = 64;
/// How long one waits at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// The places of every lane that has tries now; clones share them.
#[derive(Clone)]
pub(super) struct InFlight {
    lanes: Arc<Mutex<HashMap<String, Places>>>,
    /// The tries of a lane that are decided at once.
    places: usize,
}

struct Places {
    semaphore: Arc<Semaphore>,
    /// The tries that have a place or wait for one.
    tries: usize,
}

/// The place of a try, or its turn to get one. The next gets it when this is dropped.
pub(super) struct Place {
    in_flight: InFlight,
    key: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    /// Returns lanes without tries, for so many failures without a delay: half as many are decided at
    /// once, so that two nodes together refuse none.
    pub(super) fn new(free_failures: u32) -> Self {
        let half = usize::try_from(free_failures / 2).unwrap_or(usize::MAX);
        Self {
            lanes: Arc::default(),
            places: half.clamp(1, Semaphore::MAX_PERMITS - MOST_WAITING),
        }
    }

    /// Waits for a place in a lane; `None` when too many wait, or too long.
    pub(super) async fn enter(&self, key: String) -> Option<Place> {
        let (semaphore, mut place) = self.queue(key)?;
        let permit = timeout(PATIENCE, semaphore.acquire_owned()).await;
        place.permit = Some(permit.ok()?.ok()?);
        Some(place)
    }

    fn queue(&self, key: String) -> Option<(Arc<Semaphore>, Place)> {
        self.lock(|lanes| {
            let places = lanes.entry(key.clone()).or_insert_with(|| Places {
                semaphore: Arc::new(Semaphore::new(self.places)),
                tries: 0,
            });
            if places.tries >= self.places + MOST_WAITING {
                return None;
            }
            places.tries += 1;
            let place = Place {
                in_flight: self.clone(),
                key,
                permit: None,
            };
            Some((places.semaphore.clone(), place))
        })
    }

    fn lock<T>(&self, work: impl FnOnce(&mut HashMap<String, Places>) -> T) -> T {
        work(&mut self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        self.in_flight.lock(|lanes| {
            if let Some(places) = lanes.get_mut(&self.key) {
                places.tries -= 1;
                if places.tries == 0 {
                    lanes.remove(&self.key);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    #[actix_web::test]
    async fn two_of_a_lane_are_decided_at_once_and_the_next_gets_the_place() {
        let lanes = InFlight::new(5);
        let enter = |key: &str| lanes.enter(key.to_owned());
        let first = enter("a").await;
        let second = enter("a").await;
        assert!(second.is_some());
        let mut third = enter("a").boxed_local();
        assert!((&mut third).now_or_never().is_none());
        assert!(enter("b").await.is_some());
        drop(first);
        assert!(third.await.is_some());
        drop(second);
        assert!(lanes.lock(|lanes| lanes.is_empty()));
    }

    #[actix_web::test]
    async fn those_who_wait_are_bounded_and_leave_no_trace() {
        let lanes = InFlight::new(5);
        let mut entering: Vec<_> = (0..2 + MOST_WAITING + 3)
            .map(|_| lanes.enter("a".to_owned()).boxed_local())
            .collect();
        let states: Vec<_> = entering.iter_mut().map(FutureExt::now_or_never).collect();
        let refused = states.iter().filter(|state| matches!(state, Some(None)));
        assert_eq!(refused.count(), 3);
        drop(states);
        drop(entering);
        assert!(lanes.lock(|lanes| lanes.is_empty()));
        let places = join_all((0..2).map(|_| lanes.enter("a".to_owned()))).await;
        assert!(places.iter().all(Option::is_some));
    }
}
