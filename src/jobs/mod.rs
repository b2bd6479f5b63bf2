//! Background jobs, as actix actors. A job is an interval and its work, run by a periodic actor;
//! the buffer of last uses has a separate actor.

mod correct_clock;
mod deliver_mail;
mod flush_last_uses;
mod last_use_writer;
mod periodic;
mod poll_changes;
mod reload_keys;
mod reload_places;
mod sweep;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix::{Addr, MailboxError};
use tokio::time::{sleep, timeout};

use self::correct_clock::CorrectClock;
use self::deliver_mail::DeliverMail;
use self::flush_last_uses::FlushBuffer;
use self::periodic::{Finish, Job, Periodic, RunNow};
use self::poll_changes::PollChanges;
use self::reload_keys::ReloadKeys;
use self::reload_places::ReloadPlaces;
use self::sweep::Sweep;
pub use self::sweep::SweepReport;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{Chain, Error, Failure, Result};
use crate::http::app_state::AppState;
use crate::mail::Delivery;
use crate::sessions::{LastUses, Sessions};
use crate::settings::JobSettings;

/// How long stopping waits for the message in progress.
const LAST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How often stopping tries to write the last uses.
const LAST_FLUSH_ATTEMPTS: u32 = 3;
/// The pause between two of these attempts.
const LAST_FLUSH_PAUSE: Duration = Duration::from_secs(1);

/// The running jobs.
pub struct Jobs {
    sessions: Sessions,
    sweep: Addr<Periodic<Sweep>>,
    reload_keys: Addr<Periodic<ReloadKeys>>,
    reload_places: Addr<Periodic<ReloadPlaces>>,
    /// `None` when no SMTP server is configured.
    mail: Option<(Delivery, Addr<Periodic<DeliverMail>>)>,
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

impl Jobs {
    /// Starts every job in the current actix system.
    #[must_use]
    pub(crate) fn start(
        app: &AppState,
        delivery: Option<Delivery>,
        correction: ClockCorrection,
        intervals: &JobSettings,
    ) -> Self {
        let mail = delivery.map(|delivery| {
            let job = DeliverMail {
                accounts: app.accounts.clone(),
                delivery: delivery.clone(),
                interval: intervals.mail_interval,
            };
            (delivery, Periodic::start_job(job))
        });
        let sweep = Periodic::start_job(Sweep {
            sessions: app.sessions.clone(),
            alerts: app.alerts.clone(),
            devices: app.devices.clone(),
            people: app.people.clone(),
            events: app.event_retention.clone(),
            interval: intervals.sweep_interval,
        });
        Periodic::start_job(FlushBuffer {
            sessions: app.sessions.clone(),
            interval: intervals.flush_interval,
        });
        let reload_places = Periodic::start_job(ReloadPlaces {
            places: app.places.clone(),
            interval: intervals.places_interval,
        });
        Periodic::start_job(PollChanges {
            changes: app.changes.clone(),
        });
        Periodic::start_job(correction.0);
        let reload_keys = Periodic::start_job(ReloadKeys {
            keys: app.keys.clone(),
            accounts: app.accounts.clone(),
            has_void_links: AtomicBool::new(false),
        });
        Self {
            sessions: app.sessions.clone(),
            sweep,
            reload_keys,
            reload_places,
            mail,
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
    pub async fn finish_mail(&self) {
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
        run_now(&self.reload_keys).await
    }

    /// Writes the buffered last uses now. Returns how many rows changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond, in which case the uses stay
    /// buffered; [`Error::Internal`] when their writer is not running.
    pub async fn flush_last_uses(&self) -> Result<usize> {
        self.sessions.flush_last_uses().await
    }

    /// Writes the buffered last uses before the process ends. A database that refuses them for a
    /// moment, such as a locked SQLite file, gets three attempts, a second apart. Returns how many
    /// rows changed.
    ///
    /// # Errors
    /// As [`Jobs::flush_last_uses`]; the uses are lost with the process.
    pub async fn finish_last_uses(&self) -> Result<usize> {
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

async fn run_now<J: Job>(job: &Addr<Periodic<J>>) -> Result<J::Output> {
    job.send(RunNow::new()).await.map_err(not_running)
}

fn not_running(err: MailboxError) -> Error {
    Error::Internal(Failure::new("a background job is not running", err))
}
