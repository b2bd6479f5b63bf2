//! The periodic actor: runs one job at an interval and on request, one run at a time, and reports
//! each run.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, AtomicResponse, Context, Handler, Message,
    WrapFuture,
};

use futures_util::FutureExt;

use crate::clock::Clock;
use crate::error::{Error, Failure, Result};
use crate::nodes::{JobReports, Outcome};

/// How often stopping tries to write what is buffered.
pub(super) const LAST_FLUSH_ATTEMPTS: u32 = 3;
/// The pause between two of these attempts.
pub(super) const LAST_FLUSH_PAUSE: Duration = Duration::from_secs(1);

/// The future of one run.
pub(super) type Run<T> = Pin<Box<dyn Future<Output = T>>>;

/// A job: its interval and its work.
pub(super) trait Job: Send + Sync + 'static {
    /// The output of a run.
    type Output: Send + 'static;

    /// Its name in reports: what it does.
    const NAME: &'static str;

    /// Returns the time between the end of a run and the start of the next.
    fn interval(&self) -> Duration;

    /// Does the work once, and logs its outcome.
    fn run(self: Arc<Self>) -> Run<Self::Output>;

    /// Returns the outcome of a run, for the reports.
    fn describe(output: &Self::Output) -> Outcome;
}

/// Where the runs of jobs are reported.
#[derive(Clone)]
pub(super) struct Reporter {
    pub(super) clock: Clock,
    pub(super) reports: JobReports,
}

/// The actor of a job.
pub(super) struct Periodic<J> {
    job: Arc<J>,
    reporter: Reporter,
}

/// Runs the job, as it is due.
#[derive(Message)]
#[rtype(result = "()")]
struct Tick;

/// Runs the job now; the response is the output of the run, or [`Error::Internal`] when it panicked.
pub(super) struct RunNow<T>(std::marker::PhantomData<fn() -> T>);

/// Waits for the run in progress; the response is sent once it is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Finish;

impl<T> RunNow<T> {
    pub(super) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: Send + 'static> Message for RunNow<T> {
    type Result = Result<T>;
}

impl<J: Job> Periodic<J> {
    /// Starts the actor of `job` in the current actix system.
    pub(super) fn start_job(job: J, reporter: &Reporter) -> Addr<Self> {
        let periodic = Self {
            job: Arc::new(job),
            reporter: reporter.clone(),
        };
        periodic.start()
    }

    /// Runs the job once, and reports the run. The actor outlives a panic of it, which the logger
    /// records.
    fn run(&self) -> Run<Result<J::Output>> {
        let (job, reporter) = (self.job.clone(), self.reporter.clone());
        Box::pin(async move {
            let started = reporter.clock.now();
            let run = AssertUnwindSafe(async move { job.run().await });
            let output = run.catch_unwind().await;
            let took = reporter.clock.now().since(started);
            let outcome = output
                .as_ref()
                .map_or_else(|_| Outcome::failed(), J::describe);
            reporter.reports.record(J::NAME, started, took, outcome);
            output.map_err(|_| {
                tracing::error!(
                    job_name = J::NAME,
                    "a job stopped short; it runs again when it is due"
                );
                Error::Internal(Failure::because("a background job stopped short"))
            })
        })
    }

    fn schedule(&self, context: &mut Context<Self>) {
        let interval = self.job.interval();
        let due = self.reporter.clock.now() + interval;
        self.reporter.reports.schedule(J::NAME, due);
        context.notify_later(Tick, interval);
    }
}

impl<J: Job> Actor for Periodic<J> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.schedule(context);
    }
}

impl<J: Job> Handler<Tick> for Periodic<J> {
    /// Holds back further messages until the run is over.
    type Result = AtomicResponse<Self, ()>;

    /// Runs the job, and schedules the next run once it is over: while a run takes longer than the
    /// interval, no runs pile up behind it.
    fn handle(&mut self, _: Tick, _: &mut Self::Context) -> Self::Result {
        let run = self.run();
        AtomicResponse::new(Box::pin(
            run.into_actor(self)
                .map(|_, periodic, context| periodic.schedule(context)),
        ))
    }
}

impl<J: Job> Handler<RunNow<J::Output>> for Periodic<J> {
    /// Holds back further messages until the run is over.
    type Result = AtomicResponse<Self, Result<J::Output>>;

    fn handle(&mut self, _: RunNow<J::Output>, _: &mut Self::Context) -> Self::Result {
        let run = self.run();
        AtomicResponse::new(Box::pin(run.into_actor(self).map(|output, _, _| output)))
    }
}

impl<J: Job> Handler<Finish> for Periodic<J> {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Self::Context) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A job whose first run panics.
    #[derive(Default)]
    struct Panicking(AtomicBool);

    impl Job for Panicking {
        type Output = &'static str;

        const NAME: &'static str = "panic once";

        fn interval(&self) -> Duration {
            Duration::from_secs(60)
        }

        fn run(self: Arc<Self>) -> Run<Self::Output> {
            Box::pin(async move {
                assert!(self.0.swap(true, Ordering::SeqCst), "in a test");
                "fine"
            })
        }

        fn describe(output: &Self::Output) -> Outcome {
            Outcome::done(*output)
        }
    }

    #[actix_web::test]
    async fn a_job_that_panics_runs_again() {
        let reporter = Reporter {
            clock: Clock::system(),
            reports: JobReports::default(),
        };
        let job = Periodic::start_job(Panicking::default(), &reporter);
        let failed = job.send(RunNow::new()).await.unwrap();
        assert!(matches!(failed, Err(Error::Internal(_))));
        assert!(reporter.reports.list()[0].has_failed);
        assert_eq!(job.send(RunNow::new()).await.unwrap().unwrap(), "fine");
        assert!(!reporter.reports.list()[0].has_failed);
    }
}
