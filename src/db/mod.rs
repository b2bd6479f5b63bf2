//! The database: either of two behind one door. Work is handed in as a closure over a connection
//! and runs on a blocking thread; SQLite has one writer and several readers, PostgreSQL one pool.

mod connection;
mod fault;
pub mod migrate;
pub mod schema;
mod types;

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::TransactionManager;
use diesel::r2d2::{Pool, PooledConnection};
use tokio::sync::Semaphore;

pub use self::connection::AnyConnection;
pub(crate) use self::connection::on_each;
use self::connection::{Access, Opener};
pub(crate) use self::types::read_from_text;
pub use self::types::{AlertId, ApiKeyId, EventId, MailId, SessionId, Timestamp, UserId, sql};
use crate::error::{Error, Result};
use crate::settings::{DatabaseSettings, DatabaseUrl};

/// A handle on the database; a clone is the same one.
#[derive(Clone)]
pub struct Db {
    readers: Lane,
    writers: Lane,
}

impl Db {
    /// Makes the pools. No connection is opened yet.
    pub fn new(url: &DatabaseUrl, settings: &DatabaseSettings) -> Self {
        let lane = |access, size| {
            Lane::new(
                Opener::new(url.clone(), access, settings.busy_timeout),
                size,
                settings,
            )
        };
        match url {
            DatabaseUrl::Postgres(_) => {
                let lane = lane(Access::ReadWrite, settings.connections);
                Self {
                    readers: lane.clone(),
                    writers: lane,
                }
            }
            DatabaseUrl::Sqlite(_) => Self {
                readers: lane(Access::ReadOnly, settings.connections),
                writers: lane(Access::ReadWrite, 1),
            },
        }
    }

    /// Runs one query that only reads.
    ///
    /// # Errors
    /// What `work` answers, or [`Error::Unavailable`] when no connection is to be had.
    pub async fn read<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Runs one statement that writes. It is on disk when this answers.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.writers.run(work).await
    }

    /// Runs several statements of which either all are written or none.
    ///
    /// # Errors
    /// As [`Db::read`]; then nothing is written.
    pub async fn transaction<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.writers
            .run(|connection| in_transaction(connection, work))
            .await
    }
}

fn in_transaction<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T>,
) -> Result<T> {
    type Manager = <AnyConnection as diesel::Connection>::TransactionManager;

    connection::begin(connection)?;
    match work(connection) {
        Ok(value) => {
            Manager::commit_transaction(connection)?;
            Ok(value)
        }
        Err(error) => {
            if let Err(rollback) = Manager::rollback_transaction(connection) {
                tracing::warn!(%rollback, "a transaction could not be rolled back; its connection is dropped");
            }
            Err(error)
        }
    }
}

/// A pool and the queue in front of it: who waits for a connection waits without a thread.
#[derive(Clone)]
struct Lane {
    pool: Pool<Opener>,
    opener: Opener,
    queue: Arc<Semaphore>,
    patience: Duration,
}

impl Lane {
    fn new(opener: Opener, size: u32, settings: &DatabaseSettings) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(settings.connect_timeout)
            .test_on_check_out(false)
            .error_handler(Box::new(fault::LogAndGoOn))
            .build_unchecked(opener.clone());
        Self {
            pool,
            opener,
            queue: Arc::new(Semaphore::new(size as usize)),
            patience: settings.connect_timeout,
        }
    }

    async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        let place = tokio::time::timeout(self.patience, self.queue.clone().acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("every database connection is in use".into()))?
            .map_err(|_| Error::Unavailable("the database is closed".into()))?;
        let lane = self.clone();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let _place = place;
            span.in_scope(|| lane.run_here(work))
        })
        .await
        .map_err(|stopped| Error::Internal(format!("database work stopped short: {stopped}")))?
    }

    fn run_here<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> Result<T> {
        let mut pooled = self.check_out()?;
        let answer = work(&mut pooled.connection);
        if let Err(Error::Disconnected(_)) = &answer {
            self.opener.forget_all();
        }
        answer
    }

    /// Takes a connection opened after the last cut; stale ones are dropped on the way.
    fn check_out(&self) -> Result<PooledConnection<Opener>> {
        loop {
            let pooled = self
                .pool
                .get()
                .map_err(|timeout| Error::Unavailable(timeout.to_string()))?;
            if self.opener.is_current(&pooled) {
                return Ok(pooled);
            }
        }
    }
}
