//! Work in the background, as actix actors: each does one thing at an interval, or when asked.

mod change_watcher;
mod key_watcher;
mod last_use_writer;
mod mail_sender;
mod place_watcher;
mod sweeper;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, MailboxError};
use tokio::time::timeout;

use self::change_watcher::ChangeWatcher;
use self::key_watcher::KeyWatcher;
use self::last_use_writer::{Flush, LastUseWriter};
use self::mail_sender::{Deliver, Finish, MailSender};
use self::place_watcher::{Look, PlaceWatcher};
use self::sweeper::{Sweep, Sweeper};
use crate::alerts::Delivery;
use crate::clock::Clock;
use crate::devices::Places;
use crate::error::{Error, Result};
use crate::events::Changes;
use crate::sessions::{Sessions, Swept};
use crate::settings::{JobSettings, Settings};
use crate::tokens::Tokens;

/// How long a stop waits for the letter under way.
const LAST_LETTER: Duration = Duration::from_secs(30);

/// The running jobs.
pub struct Jobs {
    sweeper: Addr<Sweeper>,
    last_use_writer: Addr<LastUseWriter>,
    place_watcher: Addr<PlaceWatcher>,
    /// None where no mail is sent.
    mail: Option<(Delivery, Addr<MailSender>)>,
}

impl Jobs {
    /// Starts every job in the current actix system.
    pub fn start(
        sessions: &Sessions,
        places: Arc<Places>,
        delivery: Option<Delivery>,
        settings: &JobSettings,
    ) -> Self {
        let sender = |delivery: Delivery| {
            let sender = MailSender::new(delivery.clone(), settings.mail_interval).start();
            (delivery, sender)
        };
        Self {
            mail: delivery.map(sender),
            place_watcher: PlaceWatcher::new(places, settings.places_interval).start(),
            sweeper: Sweeper::new(sessions.clone(), settings.sweep_interval).start(),
            last_use_writer: LastUseWriter::new(sessions.clone(), settings.flush_interval).start(),
        }
    }

    /// Starts passing on changes to whoever listens.
    pub fn watch_changes(changes: Changes) {
        ChangeWatcher::new(changes).start();
    }

    /// Starts looking for new signing keys.
    pub fn watch_keys(tokens: Arc<Tokens>, settings: Settings, clock: Clock) {
        KeyWatcher::new(tokens, settings, clock).start();
    }

    /// Sweeps now: marks what is past its time and deletes what is past its retention.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn sweep(&self) -> Result<Swept> {
        self.sweeper.send(Sweep).await.map_err(stopped)?
    }

    /// Sends the letters that are due now. Answers how many were sent.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn deliver_mail(&self) -> Result<usize> {
        match &self.mail {
            Some((_, sender)) => sender.send(Deliver).await.map_err(stopped)?,
            None => Ok(0),
        }
    }

    /// Sends no more letters; waits a while for the one under way, which must not be left half sent.
    pub async fn finish_mail(&self) {
        let Some((delivery, sender)) = &self.mail else {
            return;
        };
        delivery.stop();
        if timeout(LAST_LETTER, sender.send(Finish)).await.is_err() {
            tracing::warn!(
                "the mail server takes too long; whether it took the last letter is not known"
            );
        }
    }

    /// Reads the file with places now, if it has changed. Answers whether it has.
    ///
    /// # Errors
    /// When the job is not running any more.
    pub async fn reload_places(&self) -> Result<bool> {
        self.place_watcher.send(Look).await.map_err(stopped)
    }

    /// Writes last uses now. Answers how many rows changed.
    ///
    /// # Errors
    /// When the database doesn't take them.
    pub async fn flush(&self) -> Result<usize> {
        self.last_use_writer.send(Flush).await.map_err(stopped)?
    }
}

fn stopped(fault: MailboxError) -> Error {
    Error::Internal(format!("a background job is not running: {fault}"))
}
