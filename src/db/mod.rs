//! The database, PostgreSQL or SQLite. Work is a closure over a connection and runs on a blocking
//! thread; SQLite has one writer and several readers, PostgreSQL one pool.

mod clock_offset;
mod connection;
mod error;
mod functions;
mod lock;
pub mod migrate;
#[allow(clippy::wildcard_imports, reason = "Diesel's CLI writes the file")]
pub(crate) mod schema;
mod statement;
mod types;

use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel::connection::TransactionManager;
use diesel::r2d2::{Pool, PooledConnection};
use tokio::sync::Semaphore;

pub use self::connection::AnyConnection;
use self::connection::{Access, ConnectionManager};
pub(crate) use self::connection::{MultiBackend, on_each};
pub(crate) use self::functions::{folded, is_in_range, network_key};
pub use self::lock::NodeLock;
pub(crate) use self::lock::lock_name;
pub(crate) use self::statement::{cached, first_rows, in_few_sizes, uncached};
pub(crate) use self::types::read_from_text;
pub use self::types::{
    AlertId, ApiKeyId, ApplicationId, CountDeltaId, EventId, FormerEmailId, JobId, LinkId, MailId,
    MailSubjectId, NodeId, OrderId, ResetId, SessionId, UserId, VerificationId, sql,
};
use crate::clock::Clock;
use crate::error::{Chain, Error, Failure, Result};
use crate::settings::{DatabaseSettings, DatabaseUrl};

/// One connection in so many may be used by searches.
const SEARCHES_OF_CONNECTIONS: u32 = 4;
/// How long a search waits for others to end.
const SEARCH_WAIT: Duration = Duration::from_secs(10);

/// A handle to the database; clones share its pools.
#[derive(Clone)]
pub struct Db {
    readers: QueuedPool,
    writers: QueuedPool,
    /// Reads that may take long: at most a quarter of the connections, so that sign-ins find one.
    searches: Arc<Semaphore>,
}

impl Db {
    /// Creates the pools. No connection is opened yet.
    #[must_use]
    pub fn new(url: &DatabaseUrl, settings: &DatabaseSettings) -> Self {
        let pool = |access, size| {
            QueuedPool::new(
                ConnectionManager::new(url.clone(), access, settings.busy_timeout),
                size,
                settings,
            )
        };
        let searches = (settings.connections / SEARCHES_OF_CONNECTIONS).max(1);
        let searches = Arc::new(Semaphore::new(searches as usize));
        match url {
            DatabaseUrl::Postgres(_) => {
                let pool = pool(Access::ReadWrite, settings.connections);
                Self {
                    readers: pool.clone(),
                    writers: pool,
                    searches,
                }
            }
            DatabaseUrl::Sqlite(_) => Self {
                readers: pool(Access::ReadOnly, settings.connections),
                writers: pool(Access::ReadWrite, 1),
                searches,
            },
        }
    }

    /// Runs one query that only reads.
    ///
    /// # Errors
    /// The error of `work`; [`Error::Unavailable`] when no connection is free or opens in time;
    /// [`Error::Internal`] when `work` panics.
    pub async fn read<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// As [`Db::read`], for queries that may take seconds: of these run only as many at once as leave
    /// most connections to everything else. The others wait.
    ///
    /// # Errors
    /// As [`Db::read`]; [`Error::Busy`] when too many wait.
    pub async fn search<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        let busy = Error::Busy {
            retry_after: SEARCH_WAIT,
        };
        let permit = tokio::time::timeout(SEARCH_WAIT, self.searches.clone().acquire_owned()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(busy);
        };
        self.readers.run(work).await
    }

    /// Runs several queries that only read, all of them on one snapshot of the database.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_snapshot<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.readers
            .run(|connection| in_transaction(connection, connection::begin_reading, work))
            .await
    }

    /// Corrects `clock` by its offset from the database's clock, on PostgreSQL. A fixed clock stays
    /// as it is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; then the clock stays as it is.
    pub async fn correct_clock(&self, clock: &Clock) -> Result<()> {
        let measured = clock.clone();
        let offset = self
            .read(move |c| clock_offset::measure(c, &measured))
            .await?;
        if let Some(offset) = offset {
            clock.correct(offset.correction(clock.correction()));
        }
        Ok(())
    }

    /// Runs one statement that writes. It is on disk when this returns.
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

    /// Runs several statements in a transaction: either all of them are written or none.
    ///
    /// # Errors
    /// As [`Db::read`]; then nothing is written.
    pub async fn transaction<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.writers
            .run(|connection| in_transaction(connection, connection::begin, work))
            .await
    }

    /// As [`Db::transaction`], by one node at a time. Returns `None`, without having called `work`,
    /// when another node holds `lock`.
    ///
    /// # Errors
    /// As [`Db::transaction`].
    pub async fn transaction_with_lock<T, W>(&self, lock: NodeLock, work: W) -> Result<Option<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        self.transaction(move |c| match lock::try_lock(c, lock)? {
            true => work(c).map(Some),
            false => Ok(None),
        })
        .await
    }

    /// As [`Db::transaction_with_lock`], on one snapshot of the database: what is committed meanwhile
    /// is not there for `work`.
    ///
    /// # Errors
    /// As [`Db::transaction`]; also when what `work` changes was changed meanwhile.
    pub async fn snapshot_with_lock<T, W>(&self, lock: NodeLock, work: W) -> Result<Option<T>>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        let work = move |c: &mut AnyConnection| match lock::try_lock(c, lock)? {
            true => work(c).map(Some),
            false => Ok(None),
        };
        self.writers
            .run(|connection| in_transaction(connection, connection::begin_snapshot, work))
            .await
    }

    /// Repeats `batch`, each time as [`Db::transaction_with_lock`], until it changes no row or
    /// another node holds `lock`. Returns how many rows it changed in all.
    ///
    /// # Errors
    /// As [`Db::transaction`]; the batches before the failed one stay written.
    pub async fn repeat_with_lock<W>(&self, lock: NodeLock, batch: W) -> Result<usize>
    where
        W: FnOnce(&mut AnyConnection) -> Result<usize> + Clone + Send + 'static,
    {
        self.repeat_some_with_lock(lock, usize::MAX, batch).await
    }

    /// Repeats `batch` as [`Db::repeat_with_lock`], at most `times`.
    ///
    /// # Errors
    /// As [`Db::repeat_with_lock`].
    pub async fn repeat_some_with_lock<W>(
        &self,
        lock: NodeLock,
        times: usize,
        batch: W,
    ) -> Result<usize>
    where
        W: FnOnce(&mut AnyConnection) -> Result<usize> + Clone + Send + 'static,
    {
        let mut changed = 0;
        for _ in 0..times {
            match self.transaction_with_lock(lock, batch.clone()).await? {
                None | Some(0) => break,
                Some(rows) => changed += rows,
            }
        }
        Ok(changed)
    }
}

fn in_transaction<T>(
    connection: &mut AnyConnection,
    begin: fn(&mut AnyConnection) -> QueryResult<()>,
    work: impl FnOnce(&mut AnyConnection) -> Result<T>,
) -> Result<T> {
    type Manager = <AnyConnection as diesel::Connection>::TransactionManager;

    begin(connection)?;
    match work(connection) {
        Ok(value) => {
            Manager::commit_transaction(connection)?;
            Ok(value)
        }
        Err(err) => {
            if let Err(rollback) = Manager::rollback_transaction(connection) {
                tracing::warn!(error = %Chain(&rollback), "a transaction could not be rolled back; its connection is dropped");
            }
            Err(err)
        }
    }
}

/// A pool and the queue in front of it: a task that waits for a connection occupies no thread.
#[derive(Clone)]
struct QueuedPool {
    pool: Pool<ConnectionManager>,
    manager: ConnectionManager,
    queue: Arc<Semaphore>,
    wait_timeout: Duration,
}

impl QueuedPool {
    fn new(manager: ConnectionManager, size: u32, settings: &DatabaseSettings) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(settings.connect_timeout)
            .test_on_check_out(false)
            .error_handler(Box::new(error::LogConnectionErrors))
            .build_unchecked(manager.clone());
        Self {
            pool,
            manager,
            queue: Arc::new(Semaphore::new(size as usize)),
            wait_timeout: settings.connect_timeout,
        }
    }

    async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    {
        let permit = tokio::time::timeout(self.wait_timeout, self.queue.clone().acquire_owned())
            .await
            .map_err(|_| {
                Error::Unavailable(Failure::because("every database connection is in use"))
            })?
            .map_err(|_| Error::Unavailable(Failure::because("the database is closed")))?;
        let pool = self.clone();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| pool.run_blocking(work))
        })
        .await
        .map_err(|stopped| Error::Internal(Failure::new("database work stopped short", stopped)))?
    }

    fn run_blocking<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> Result<T> {
        let mut pooled = self.check_out()?;
        let result = work(&mut pooled.connection);
        if let Err(Error::Disconnected(_)) = &result {
            self.manager.invalidate_all();
        }
        result
    }

    /// Takes a connection opened after the last disconnection; older ones are dropped.
    fn check_out(&self) -> Result<PooledConnection<ConnectionManager>> {
        loop {
            let pooled = self
                .pool
                .get()
                .map_err(|err| Error::Unavailable(Failure::new("no connection opens", err)))?;
            if self.manager.is_current(&pooled) {
                return Ok(pooled);
            }
        }
    }
}
