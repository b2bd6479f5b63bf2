//! The threads that hash passwords, and the work that waits for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Span;

use super::fair_queue::{FairQueue, Ticket};
use super::requester::{HashRequester, Lane};
use super::worker::Worker;
use crate::error::{Error, Failure, Result};

/// When to try again where there is no place.
const RETRY_AFTER: Duration = Duration::from_secs(2);

type Work = Box<dyn FnOnce(&mut Worker) + Send>;

/// A fixed number of threads. They end when it is dropped.
pub(super) struct Threads {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    /// Signalled when there is more to do, or all is over.
    changed: Condvar,
}

/// The work that waits. The lanes take turns, so that a flood in one delays the other by one hash.
struct Waiting {
    visitors: FairQueue<HashRequester, Work>,
    signed_in: FairQueue<HashRequester, Work>,
    /// The lane that is next, if anything waits there.
    next: Lane,
    last_ticket: Ticket,
    is_closed: bool,
}

/// The place of work in the queue, which it leaves when its request is dropped.
struct Place<'a> {
    shared: &'a Shared,
    requester: HashRequester,
    ticket: Ticket,
}

impl Threads {
    /// Starts as many threads as there are workers, with as many places for waiting work in each
    /// lane.
    ///
    /// # Errors
    /// [`Error::Startup`] when the system has no thread.
    pub(super) fn start(workers: Vec<Worker>, places: usize) -> Result<Self> {
        let threads = Self {
            shared: Arc::new(Shared {
                waiting: Mutex::new(Waiting::new(places)),
                changed: Condvar::new(),
            }),
        };
        for worker in workers {
            let shared = threads.shared.clone();
            thread::Builder::new()
                .name("hashing".into())
                .spawn(move || shared.serve(worker))
                .map_err(|err| Error::Startup(Failure::new("no thread to hash passwords", err)))?;
        }
        Ok(threads)
    }

    /// Has a thread do the work. Work that waits is given up when the future is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when too much of it waits; otherwise as `work`.
    pub(super) async fn run<T, W>(&self, requester: HashRequester, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Worker) -> Result<T> + Send + 'static,
    {
        let (reply, replied) = oneshot::channel();
        let span = Span::current();
        let ticket = self.shared.add(
            requester,
            Box::new(move |worker| {
                let work = || span.in_scope(|| work(worker));
                let done = catch_unwind(AssertUnwindSafe(work));
                let stopped = || Error::Internal(Failure::because("hashing stopped short"));
                // The request may have gone meanwhile.
                let _ = reply.send(done.unwrap_or_else(|_| Err(stopped())));
            }),
        )?;
        let _place = Place {
            shared: &self.shared,
            requester,
            ticket,
        };
        // Without a reply it was removed for the work of another.
        replied.await.unwrap_or_else(|_| Err(busy()))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let work = self.shared.lock().remove(self.requester, self.ticket);
        drop(work);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, requester: HashRequester, work: Work) -> Result<Ticket> {
        let (ticket, pushed) = self.lock().push(requester, work);
        let removed = pushed.map_err(|_| busy())?;
        self.changed.notify_one();
        drop(removed);
        Ok(ticket)
    }

    /// Does the work that waits, until there will be no more.
    fn serve(&self, mut worker: Worker) {
        loop {
            let next = self.lock().pop();
            match next {
                Some(work) => work(&mut worker),
                None => {
                    worker.wipe();
                    let waiting = self.lock();
                    let idle = |waiting: &mut Waiting| waiting.is_idle();
                    let waiting = self.changed.wait_while(waiting, idle);
                    if waiting.unwrap_or_else(PoisonError::into_inner).is_closed {
                        return;
                    }
                }
            }
        }
    }
}

impl Waiting {
    fn new(places: usize) -> Self {
        Self {
            visitors: FairQueue::new(places),
            signed_in: FairQueue::new(places),
            next: Lane::SignedIn,
            last_ticket: 0,
            is_closed: false,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut FairQueue<HashRequester, Work> {
        match lane {
            Lane::Visitors => &mut self.visitors,
            Lane::SignedIn => &mut self.signed_in,
        }
    }

    fn push(
        &mut self,
        requester: HashRequester,
        work: Work,
    ) -> (Ticket, std::result::Result<Option<Work>, Work>) {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let pushed = self.lane(requester.lane()).push(requester, ticket, work);
        (ticket, pushed)
    }

    fn pop(&mut self) -> Option<Work> {
        let (first, second) = match self.next {
            Lane::SignedIn => (Lane::SignedIn, Lane::Visitors),
            Lane::Visitors => (Lane::Visitors, Lane::SignedIn),
        };
        if let Some(work) = self.lane(first).pop() {
            self.next = second;
            return Some(work);
        }
        self.next = first;
        self.lane(second).pop()
    }

    fn remove(&mut self, requester: HashRequester, ticket: Ticket) -> Option<Work> {
        self.lane(requester.lane()).remove(requester, ticket)
    }

    fn is_idle(&self) -> bool {
        !self.is_closed && self.visitors.is_empty() && self.signed_in.is_empty()
    }
}

fn busy() -> Error {
    Error::Busy {
        retry_after: RETRY_AFTER,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use argon2::{Argon2, Params};
    use futures_util::FutureExt;

    use super::*;
    use crate::net::SourceNetwork;

    const VISITOR: HashRequester = HashRequester::Visitor(SourceNetwork::Unknown);

    #[actix_web::test]
    async fn a_request_that_is_dropped_leaves_the_queue() {
        let argon2 = Argon2::from(Params::new(8, 1, 1, None).unwrap());
        let worker = Worker::new(argon2, Arc::default());
        // Of four places a visitor may have one.
        let threads = Threads::start(vec![worker], 4).unwrap();
        let (go_on, waiting) = channel::<()>();
        let mut first = Box::pin(threads.run(HashRequester::Service, move |_| {
            let _ = waiting.recv();
            Ok(())
        }));
        assert!((&mut first).now_or_never().is_none());
        let mut second = Box::pin(threads.run(VISITOR, |_| Ok(())));
        assert!((&mut second).now_or_never().is_none());
        let refused = threads.run(VISITOR, |_| Ok(())).await;
        assert!(matches!(refused, Err(Error::Busy { .. })));
        drop(second);
        let mut third = Box::pin(threads.run(VISITOR, |_| Ok(())));
        assert!((&mut third).now_or_never().is_none());
        go_on.send(()).unwrap();
        first.await.unwrap();
        third.await.unwrap();
    }

    #[actix_web::test]
    async fn a_panic_ends_the_work_and_not_the_thread() {
        let argon2 = Argon2::from(Params::new(8, 1, 1, None).unwrap());
        let threads = Threads::start(vec![Worker::new(argon2, Arc::default())], 4).unwrap();
        let panicked = threads.run(VISITOR, |_| -> Result<()> { panic!("in a test") });
        assert!(matches!(panicked.await, Err(Error::Internal(_))));
        threads.run(VISITOR, |_| Ok(())).await.unwrap();
    }
}
