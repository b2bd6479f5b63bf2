//! Brings a database to the schema this binary knows. The migrations are embedded in it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Access, AnyConnection, open};
use crate::error::{Error, Failure, Result};
use crate::settings::DatabaseUrl;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// A name for the advisory lock that lets one node migrate at a time: "rollcall" in ASCII.
const MIGRATION_LOCK: i64 = 0x726f_6c6c_6361_6c6c;
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Applies what is missing, creating an SQLite file that isn't there (readable by its owner only),
/// and answers with the names of what it applied. Nodes that start together wait for each other.
///
/// # Errors
/// [`Error::Migration`] when the database can't be reached or a migration fails.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>> {
    if let DatabaseUrl::Sqlite(path) = url {
        create_private(path)?;
    }
    with_lock(url, |connection| match connection {
        AnyConnection::Postgres(c) => apply(c, POSTGRES),
        AnyConnection::Sqlite(c) => apply(c, SQLITE),
    })
}

/// Takes every migration back, newest first, and with them all that is kept.
///
/// # Errors
/// As [`run`].
pub fn revert_all(url: &DatabaseUrl) -> Result<()> {
    with_lock(url, |connection| match connection {
        AnyConnection::Postgres(c) => c.revert_all_migrations(POSTGRES).map(drop).map_err(failed),
        AnyConnection::Sqlite(c) => c.revert_all_migrations(SQLITE).map(drop).map_err(failed),
    })
}

/// How many migrations this binary knows that the database does not have.
///
/// # Errors
/// When the database doesn't answer.
pub fn pending(connection: &mut AnyConnection) -> Result<usize> {
    let pending = match connection {
        AnyConnection::Postgres(c) => c.pending_migrations(POSTGRES).map(|found| found.len()),
        AnyConnection::Sqlite(c) => c.pending_migrations(SQLITE).map(|found| found.len()),
    };
    pending.map_err(|err| Error::Unavailable(Failure::new("the migrations could not be read", err)))
}

fn apply<C, DB>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<Vec<String>>
where
    C: MigrationHarness<DB>,
    DB: Backend,
    EmbeddedMigrations: diesel::migration::MigrationSource<DB>,
{
    let applied = connection
        .run_pending_migrations(migrations)
        .map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Lets one process migrate at a time: PostgreSQL by an advisory lock, SQLite by a lock on the
/// file's folder. Both are free again when this returns, however it does.
fn with_lock<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut AnyConnection) -> Result<T>,
) -> Result<T> {
    let _folder = match url {
        DatabaseUrl::Sqlite(path) => Some(lock_folder(path)?),
        DatabaseUrl::Postgres(_) => None,
    };
    let mut connection = open(url, Access::ReadWrite, LOCK_TIMEOUT).map_err(|err| {
        Error::Migration(Failure::new(format!("cannot open the database {url}"), err))
    })?;
    if let AnyConnection::Postgres(c) = &mut connection {
        c.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))
            .map_err(|err| failed(err.into()))?;
    }
    work(&mut connection)
}

fn lock_folder(path: &Path) -> Result<File> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let lock = File::open(folder).and_then(|file| file.lock().map(|()| file));
    lock.map_err(|err| {
        Error::Migration(Failure::new(
            format!("cannot lock {}", folder.display()),
            err,
        ))
    })
}

fn failed(err: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Migration(Failure::new("the database could not be migrated", err))
}

/// Creates the file with mode 0600 when there is none: it holds password hashes.
fn create_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    match std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(err) => Err(Error::Migration(Failure::new(
            format!("cannot create the database {}", path.display()),
            err,
        ))),
    }
}
