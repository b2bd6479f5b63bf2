//! Background jobs, as actix actors. A job is an interval and its work, run by a periodic actor;
//! the buffer of last uses has a separate actor.

mod add_up_counts;
mod correct_clock;
mod count_people;
mod deliver_mail;
mod flush_application_uses;
mod flush_last_uses;
mod heartbeat;
mod last_use_writer;
mod periodic;
mod poll_changes;
mod record_refusals;
mod reload_keys;
mod reload_places;
mod run_bulk_jobs;
mod sweep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::{Addr, MailboxError};
use tokio::time::{sleep, timeout};

use self::add_up_counts::AddUpCounts;
use self::correct_clock::CorrectClock;
use self::count_people::CountPeople;
use self::deliver_mail::DeliverMail;
use self::flush_application_uses::FlushApplicationUses;
use self::flush_last_uses::FlushBuffer;
use self::heartbeat::WriteHeartbeat;
use self::periodic::{
    Finish, Job, LAST_FLUSH_ATTEMPTS, LAST_FLUSH_PAUSE, Periodic, Reporter, RunNow,
};
use self::poll_changes::PollChanges;
use self::record_refusals::RecordRefusals;
use self::reload_keys::ReloadKeys;
use self::reload_places::ReloadPlaces;
use self::run_bulk_jobs::RunBulkJobs;
use self::sweep::Sweep;
pub use self::sweep::SweepReport;
use crate::account::RefusalRecorder;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{Chain, Error, Failure, Result};
use crate::http::app_state::AppState;
use crate::mail::Delivery;
use crate::nodes::{Heartbeat, JobReports};
use crate::sessions::{Due, LastUses, Sessions};
use crate::settings::JobSettings;

/// How long stopping waits for the message in progress.
const LAST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The running jobs.
pub struct Jobs {
    sessions: Sessions,
    refusals: RefusalRecorder,
    sweep: Addr<Periodic<Sweep>>,
    run_bulk_jobs: Addr<Periodic<RunBulkJobs>>,
    reload_keys: Addr<Periodic<ReloadKeys>>,
    reload_places: Addr<Periodic<ReloadPlaces>>,
    /// `None` when no SMTP server is configured.
    mail: Option<(Delivery, Addr<Periodic<DeliverMail>>)>,
    add_up_counts: Addr<Periodic<AddUpCounts>>,
    count_people: Addr<Periodic<CountPeople>>,
    node: RunningNode,
}

/// This node, as the others see it.
struct RunningNode {
    heartbeat: Heartbeat,
    job: Addr<Periodic<WriteHeartbeat>>,
    is_stopping: Arc<AtomicBool>,
}

/// Starts the actor that writes last uses, and returns the recorder that feeds it.
#[must_use]
pub fn start_last_use_writer(db: Db) -> LastUses {
    last_use_writer::start(db)
}

/// The correction of the node's clock, before its job starts.
pub(crate) struct ClockCorrection(CorrectClock);

impl ClockCorrection {
    /// Corrects `clock` by that of the database, on PostgreSQL, before any time is read.
    pub(crate) async fn begin(db: Db, clock: Clock) -> Self {
        let job = CorrectClock::new(db, clock);
        job.correct().await;
        Self(job)
    }
}

/// Starts the jobs that get no messages.
fn start_alone(
    app: &AppState,
    correction: ClockCorrection,
    intervals: &JobSettings,
    reporter: &Reporter,
) {
    let flush = FlushBuffer {
        sessions: app.sessions.clone(),
        interval: intervals.flush_interval,
    };
    Periodic::start_job(flush, reporter);
    let flush = FlushApplicationUses {
        sessions: app.sessions.clone(),
        interval: intervals.flush_interval,
    };
    Periodic::start_job(flush, reporter);
    let poll = PollChanges {
        changes: app.changes.clone(),
    };
    Periodic::start_job(poll, reporter);
    let record_refusals = RecordRefusals {
        refusals: app.refusals.clone(),
    };
    Periodic::start_job(record_refusals, reporter);
    Periodic::start_job(correction.0, reporter);
}

/// Starts the job that sends messages.
fn start_mail(
    app: &AppState,
    delivery: Delivery,
    intervals: &JobSettings,
    reporter: &Reporter,
) -> (Delivery, Addr<Periodic<DeliverMail>>) {
    let job = DeliverMail {
        accounts: app.accounts.clone(),
        delivery: delivery.clone(),
        interval: intervals.mail_interval,
    };
    (delivery, Periodic::start_job(job, reporter))
}

fn sweep(app: &AppState, intervals: &JobSettings) -> Sweep {
    Sweep {
        sessions: app.sessions.clone(),
        alerts: app.alerts.clone(),
        devices: app.devices.clone(),
        people: app.people.clone(),
        throttles: app.throttles.clone(),
        events: app.event_retention.clone(),
        interval: intervals.sweep_interval,
    }
}

impl Jobs {
    /// Starts every job in the current actix system.
    #[must_use]
    pub(crate) fn start(
        app: &AppState,
        delivery: Option<Delivery>,
        correction: ClockCorrection,
        listen: SocketAddr,
        intervals: &JobSettings,
    ) -> Self {
        let reporter = Reporter {
            clock: app.clock.clone(),
            reports: JobReports::default(),
        };
        start_alone(app, correction, intervals, &reporter);
        let run_bulk_jobs = RunBulkJobs::new(app.sessions.clone(), intervals.bulk_interval);
        let reload_places = ReloadPlaces {
            places: app.places.clone(),
            interval: intervals.places_interval,
        };
        let reload_keys = ReloadKeys {
            keys: app.keys.clone(),
            accounts: app.accounts.clone(),
            has_void_links: AtomicBool::new(false),
        };
        let overview = app.overview.clone();
        let count_people = CountPeople { overview };
        let overview = app.overview.clone();
        let add_up_counts = AddUpCounts { overview };
        Self {
            sessions: app.sessions.clone(),
            refusals: app.refusals.clone(),
            run_bulk_jobs: Periodic::start_job(run_bulk_jobs, &reporter),
            sweep: Periodic::start_job(sweep(app, intervals), &reporter),
            reload_keys: Periodic::start_job(reload_keys, &reporter),
            reload_places: Periodic::start_job(reload_places, &reporter),
            mail: delivery.map(|delivery| start_mail(app, delivery, intervals, &reporter)),
            add_up_counts: Periodic::start_job(add_up_counts, &reporter),
            count_people: Periodic::start_job(count_people, &reporter),
            node: RunningNode::start(app, listen, &reporter),
        }
    }

    /// Sweeps now: marks expired sessions, and purges what is past its retention.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the job
    /// is not running.
    pub async fn sweep(&self) -> Result<SweepReport> {
        run_now(&self.sweep).await?
    }

    /// Runs one batch of each running bulk job now. Returns how many of them have more to do.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the job
    /// is not running.
    pub async fn run_bulk_jobs(&self) -> Result<usize> {
        run_now(&self.run_bulk_jobs).await?
    }

    /// Sends the messages that are due now. Returns how many were sent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the job
    /// is not running.
    pub async fn deliver_mail(&self) -> Result<usize> {
        match &self.mail {
            Some((_, job)) => run_now(job).await?,
            None => Ok(0),
        }
    }

    /// Stops sending messages. Waits up to 30 seconds for the one in progress, which must not be
    /// cut off.
    async fn finish_mail(&self) {
        let Some((delivery, job)) = &self.mail else {
            return;
        };
        delivery.stop();
        if timeout(LAST_MESSAGE_TIMEOUT, job.send(Finish))
            .await
            .is_err()
        {
            tracing::warn!(
                "the mail server takes too long; whether it accepted the last message is not known"
            );
        }
    }

    /// Reloads the databases of places now, if their files changed. Returns whether any did.
    ///
    /// # Errors
    /// [`Error::Internal`] when the job is not running.
    pub async fn reload_places(&self) -> Result<bool> {
        run_now(&self.reload_places).await
    }

    /// Reloads the keys now.
    ///
    /// # Errors
    /// [`Error::Internal`] when the job is not running.
    pub async fn reload_keys(&self) -> Result<()> {
        run_now(&self.reload_keys).await.map(drop)
    }

    /// Adds what happened to the totals of the counters now. Returns how many changes were added.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the job
    /// is not running.
    pub async fn add_up_counts(&self) -> Result<usize> {
        run_now(&self.add_up_counts).await?
    }

    /// Counts the people with live sessions now, where there are many. Returns whether this node did.
    ///
    /// # Errors
    /// As [`Jobs::add_up_counts`].
    pub async fn count_people(&self) -> Result<bool> {
        run_now(&self.count_people).await?
    }

    /// Writes the node's heartbeat now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] when the job
    /// is not running.
    pub async fn write_heartbeat(&self) -> Result<()> {
        run_now(&self.node.job).await?
    }

    /// Puts the node on the list of nodes. When the database doesn't respond, that is logged, and a
    /// later heartbeat does so.
    pub(crate) async fn announce_node(&self) {
        let _ = self.write_heartbeat().await;
    }

    /// Finishes before the process ends: waits for the message in progress, writes the buffered last
    /// uses, and takes the node off the list of nodes.
    ///
    /// # Errors
    /// As [`Jobs::finish_last_uses`].
    pub(crate) async fn finish(&self) -> Result<()> {
        self.finish_mail().await;
        let rows = self.finish_last_uses().await;
        flush_application_uses::finish(&self.sessions).await;
        self.finish_refusals().await;
        self.finish_heartbeat().await;
        tracing::info!(last_uses_written = rows?, "stopped");
        Ok(())
    }

    /// Records what was refused last. When the database doesn't respond, that is lost with the process.
    async fn finish_refusals(&self) {
        if let Err(err) = self.refusals.record().await {
            tracing::error!(error = %Chain(&err), "refused requests could not be recorded; they are lost");
        }
    }

    /// Records the refused requests now. Returns how many rows that are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond, in which case they stay buffered.
    pub async fn record_refusals(&self) -> Result<usize> {
        self.refusals.record().await
    }

    /// Takes the node off the list of nodes. When the database doesn't respond, it is off a minute
    /// later.
    async fn finish_heartbeat(&self) {
        let node = &self.node;
        node.is_stopping.store(true, Ordering::SeqCst);
        // A heartbeat in progress would put it back.
        if let Err(err) = node.job.send(Finish).await {
            tracing::warn!(error = %Chain(&err), "the job of the heartbeat is not running");
        }
        if let Err(err) = node.heartbeat.end().await {
            tracing::warn!(error = %Chain(&err), "the node could not be taken off the list of nodes");
        }
    }

    /// Writes the buffered last uses now. Returns how many rows changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond, in which case the uses stay
    /// buffered; [`Error::Internal`] when their writer is not running.
    pub async fn flush_last_uses(&self) -> Result<usize> {
        self.sessions.flush_last_uses().await
    }

    /// Writes the buffered uses of applications that are due now. Returns how many rows changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond, in which case they stay buffered.
    pub async fn flush_application_uses(&self) -> Result<usize> {
        self.sessions.flush_application_uses(Due::ByNow).await
    }

    /// Writes the buffered last uses before the process ends. A database that refuses them for a
    /// moment, such as a locked SQLite file, gets three attempts, a second apart. Returns how many
    /// rows changed.
    ///
    /// # Errors
    /// As [`Jobs::flush_last_uses`]; the uses are lost with the process.
    async fn finish_last_uses(&self) -> Result<usize> {
        for _ in 1..LAST_FLUSH_ATTEMPTS {
            match self.flush_last_uses().await {
                Ok(rows) => return Ok(rows),
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), "last uses could not be written; trying again");
                }
            }
            sleep(LAST_FLUSH_PAUSE).await;
        }
        self.flush_last_uses().await.inspect_err(|err| {
            tracing::error!(error = %Chain(err), "last uses could not be written; they are lost");
        })
    }
}

impl RunningNode {
    fn start(app: &AppState, listen: SocketAddr, reporter: &Reporter) -> Self {
        let (db, clock) = (app.db.clone(), app.clock.clone());
        let heartbeat = Heartbeat::new(db, clock, listen, reporter.reports.clone());
        let is_stopping = Arc::new(AtomicBool::new(false));
        let job = WriteHeartbeat {
            heartbeat: heartbeat.clone(),
            is_stopping: is_stopping.clone(),
        };
        Self {
            heartbeat,
            job: Periodic::start_job(job, reporter),
            is_stopping,
        }
    }
}

async fn run_now<J: Job>(job: &Addr<Periodic<J>>) -> Result<J::Output> {
    job.send(RunNow::new()).await.map_err(not_running)?
}

fn not_running(err: MailboxError) -> Error {
    Error::Internal(Failure::new("a background job is not running", err))
}
