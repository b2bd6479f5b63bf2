//! Work in the background, as actix actors: each does one thing at an interval, or when asked.

mod change_watcher;
mod key_watcher;
mod last_use_writer;
mod sweeper;

use std::sync::Arc;

use actix::{Actor, Addr, MailboxError};

use self::change_watcher::ChangeWatcher;
use self::key_watcher::KeyWatcher;
use self::last_use_writer::{Flush, LastUseWriter};
use self::sweeper::{Sweep, Sweeper};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::Changes;
use crate::sessions::{Sessions, Swept};
use crate::settings::{JobSettings, Settings};
use crate::tokens::Tokens;

/// The running jobs.
pub struct Jobs {
    sweeper: Addr<Sweeper>,
    last_use_writer: Addr<LastUseWriter>,
}

impl Jobs {
    /// Starts every job in the current actix system.
    pub fn start(sessions: &Sessions, settings: &JobSettings) -> Self {
        Self {
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
