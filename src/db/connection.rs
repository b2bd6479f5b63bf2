//! One connection to either database, and how it is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{ConnectionResult, PgConnection, QueryResult, SqliteConnection};

use crate::settings::DatabaseUrl;

/// A connection to PostgreSQL or SQLite. Plain Diesel queries run on it as they are; what only a
/// concrete backend can do (`RETURNING`, `ON CONFLICT`) goes through [`on_each!`](super::on_each).
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A connection of libpq.
    Postgres(PgConnection),
    /// An SQLite file.
    Sqlite(SqliteConnection),
}

/// Runs the same expression on whichever connection it is, each with its concrete type.
macro_rules! on_each {
    ($connection:expr, $name:ident => $body:expr) => {
        match $connection {
            $crate::db::AnyConnection::Postgres($name) => $body,
            $crate::db::AnyConnection::Sqlite($name) => $body,
        }
    };
}
pub(crate) use on_each;

/// What a connection is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// Opens a connection as every part of the service wants it.
///
/// # Errors
/// When the database can't be reached or refuses.
pub(super) fn open(
    url: &DatabaseUrl,
    access: Access,
    busy_timeout: Duration,
) -> ConnectionResult<AnyConnection> {
    use diesel::Connection as _;

    match url {
        DatabaseUrl::Postgres(url) => {
            let mut connection = PgConnection::establish(url)?;
            connection
                .batch_execute(POSTGRES_DURABLE)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Postgres(connection))
        }
        DatabaseUrl::Sqlite(path) => {
            let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
            connection
                .batch_execute(&sqlite_pragmas(access, busy_timeout))
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Sqlite(connection))
        }
    }
}

/// What was acknowledged must be on disk, whatever the server's own setting; a stricter one stays.
const POSTGRES_DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
     WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// `synchronous=FULL`, so that what was acknowledged is on disk; WAL, so that readers never wait
/// for the one writer. `busy_timeout` goes first: the others may meet another process's lock.
fn sqlite_pragmas(access: Access, busy_timeout: Duration) -> String {
    let busy = busy_timeout.as_millis();
    let query_only = match access {
        Access::ReadOnly => "ON",
        Access::ReadWrite => "OFF",
    };
    format!(
        "PRAGMA busy_timeout = {busy};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA query_only = {query_only};"
    )
}

/// Begins a transaction that will write. SQLite takes its write lock now, not at the first write:
/// a lock taken later fails at once when another process has written in between.
pub(super) fn begin(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction(c),
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
        }
    }
}

/// A pooled connection, and when in the pool's life it was opened.
pub(super) struct Pooled {
    pub(super) connection: AnyConnection,
    generation: u64,
}

/// Opens connections for a pool, and forgets them all at once when one was found cut off: after a
/// restart of the database every one of them is.
#[derive(Debug, Clone)]
pub(super) struct ConnectionManager {
    url: DatabaseUrl,
    access: Access,
    busy_timeout: Duration,
    generation: Arc<AtomicU64>,
}

impl ConnectionManager {
    pub(super) fn new(url: DatabaseUrl, access: Access, busy_timeout: Duration) -> Self {
        Self {
            url,
            access,
            busy_timeout,
            generation: Arc::default(),
        }
    }

    /// Says that the database has cut us off: no connection opened until now is used again.
    pub(super) fn invalidate_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the connection was opened after the last cut.
    pub(super) fn is_current(&self, pooled: &Pooled) -> bool {
        pooled.generation == self.generation.load(Ordering::SeqCst)
    }
}

impl ManageConnection for ConnectionManager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let generation = self.generation.load(Ordering::SeqCst);
        let connection = open(&self.url, self.access, self.busy_timeout)
            .map_err(diesel::r2d2::Error::ConnectionError)?;
        Ok(Pooled {
            connection,
            generation,
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        pooled
            .connection
            .ping()
            .map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || !self.is_current(pooled) || pooled.connection.is_broken()
    }
}
