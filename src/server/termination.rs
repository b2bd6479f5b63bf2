//! The signals that stop the server.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Failure, Result};

/// The signals SIGINT and SIGTERM. One that arrives after [`Termination::listen`] is not lost.
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Listens for the signals from now on.
    ///
    /// # Errors
    /// [`Error::Startup`] when the system doesn't allow it.
    pub fn listen() -> Result<Self> {
        let failed = |err| Error::Startup(Failure::new("signals can't be listened for", err));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    pub(super) async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
