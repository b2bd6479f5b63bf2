//! An outage of a database.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

use super::database::{Database, on_server};

/// An outage that lasts until it is ended or dropped. PostgreSQL cuts every connection and accepts
/// no new one; an SQLite file is locked against writing, as by a long backup or repair.
pub struct Outage {
    postgres: Option<String>,
    sqlite: Option<SqliteConnection>,
    lock: Option<PgConnection>,
}

impl Outage {
    pub fn of(database: &Database) -> Self {
        if let Some(name) = database.postgres_name() {
            on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
            cut_connections(name);
            return Self {
                postgres: Some(name.to_owned()),
                sqlite: None,
                lock: None,
            };
        }
        let mut connection = database.sqlite_connection();
        connection
            .batch_execute("BEGIN IMMEDIATE")
            .expect("the write lock");
        Self {
            postgres: None,
            sqlite: Some(connection),
            lock: None,
        }
    }

    /// Starts an outage in which only writes wait, on PostgreSQL only those of sessions: another
    /// transaction has the lock.
    pub fn locking_writes(database: &Database) -> Self {
        if database.postgres_name().is_none() {
            return Self::of(database);
        }
        let mut lock = PgConnection::establish(&database.url()).expect("a connection");
        lock.batch_execute("BEGIN; LOCK TABLE user_sessions IN EXCLUSIVE MODE")
            .expect("the lock");
        Self {
            postgres: None,
            sqlite: None,
            lock: Some(lock),
        }
    }

    pub fn end(self) {}
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Some(name) = &self.postgres {
            on_server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
        }
        if let Some(lock) = &mut self.lock {
            let _ = lock.batch_execute("ROLLBACK");
        }
        if let Some(connection) = &mut self.sqlite {
            let _ = connection.batch_execute("ROLLBACK");
        }
    }
}

/// Cuts the connections to a database, as a restart of the server does.
pub fn cut_connections(name: &str) {
    on_server(&format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    ));
}

/// Makes the database refuse every update of a session, with a message of two lines.
pub fn refuse_updates(database: &Database) {
    match database.postgres_name() {
        None => database.execute(
            "CREATE TRIGGER refused BEFORE UPDATE ON user_sessions
             BEGIN SELECT RAISE(ABORT, 'refused
ERROR forged'); END",
        ),
        Some(_) => database.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION E'refused\\nERROR forged'; END $$;
             CREATE TRIGGER refused BEFORE UPDATE ON user_sessions
             FOR EACH ROW EXECUTE FUNCTION refuse()",
        ),
    }
}

/// Reverts [`refuse_updates`].
pub fn allow_updates(database: &Database) {
    match database.postgres_name() {
        None => database.execute("DROP TRIGGER refused"),
        Some(_) => database.execute("DROP TRIGGER refused ON user_sessions"),
    }
}
