//! A connection to either database, and the manager that opens the connections of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{ConnectionResult, PgConnection, QueryResult, SqliteConnection};

use super::functions;
use crate::settings::DatabaseUrl;

/// A connection to PostgreSQL or SQLite. Plain Diesel queries run on it unchanged; those that need
/// a concrete backend (`RETURNING`, `ON CONFLICT`) use [`on_each!`](super::on_each).
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// A connection to PostgreSQL through `libpq`.
    Postgres(PgConnection),
    /// A connection to an SQLite file.
    Sqlite(SqliteConnection),
}

/// Evaluates the same expression for the connection of either backend, with its concrete type.
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

/// Opens a connection and configures it.
///
/// # Errors
/// [`diesel::ConnectionError`] when the database can't be reached or rejects the connection.
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
            functions::register(&mut connection)
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(AnyConnection::Sqlite(connection))
        }
    }
}

/// Turns `synchronous_commit` on where the server's setting is `off` or `local`, so that every
/// acknowledged write is on disk. A stricter setting stays.
const POSTGRES_DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
     WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// Returns the pragmas of a connection: `synchronous = FULL`, so that every acknowledged write is
/// on disk; WAL, so that readers never wait for the writer. `busy_timeout` is first, since the
/// others may have to wait for another process's lock.
fn sqlite_pragmas(access: Access, busy_timeout: Duration) -> String {
    // SQLite takes a number out of its range as no timeout.
    let busy = i32::try_from(busy_timeout.as_millis()).unwrap_or(i32::MAX);
    let query_only = match access {
        Access::ReadOnly => "ON",
        Access::ReadWrite => "OFF",
    };
    format!(
        "PRAGMA busy_timeout = {busy};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA query_only = {query_only};"
    )
}

/// How long a transaction may be idle, and wait for a lock. A node that is frozen or cut off would have
/// its locks until the network gives up, hours later; so the server ends the transaction. Whoever waits
/// for the locks waits longer than that. Sent with `BEGIN`, so that it costs no round trip, and for the
/// transaction alone, so that it holds through a pooler which gives each transaction another connection.
const POSTGRES_LIMITS: &str = "SET LOCAL idle_in_transaction_session_timeout = '10s';
     SET LOCAL lock_timeout = '20s'";

/// Begins a transaction that will write. SQLite takes its write lock here, not at the first write:
/// taking it later fails at once when another process has written in between.
pub(super) fn begin(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(c) => {
            let sql = format!("BEGIN; {POSTGRES_LIMITS}");
            AnsiTransactionManager::begin_transaction_sql(c, &sql)
        }
        AnyConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
        }
    }
}

/// Begins a transaction that only reads, on one snapshot of the database.
pub(super) fn begin_reading(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
        AnyConnection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN"),
    }
}

/// Begins a transaction that will write, on one snapshot of the database. On SQLite each is.
pub(super) fn begin_snapshot(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(c) => {
            let sql = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {POSTGRES_LIMITS}");
            AnsiTransactionManager::begin_transaction_sql(c, &sql)
        }
        AnyConnection::Sqlite(_) => begin(connection),
    }
}

/// A pooled connection, and the manager's generation in which it was opened.
pub(super) struct Pooled {
    pub(super) connection: AnyConnection,
    generation: u64,
}

/// The manager of a pool's connections. When one is found disconnected, all of them are
/// invalidated: a restart of the database disconnects every one.
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

    /// Invalidates every connection opened until now, after the database has closed one.
    pub(super) fn invalidate_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns whether the connection was opened after the last invalidation.
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
