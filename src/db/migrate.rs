//! Migrates a database to the schema of this binary, in which the migrations are embedded.

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

/// The key of the advisory lock that lets one node migrate at a time: "rollcall" in ASCII.
const MIGRATION_LOCK: i64 = 0x726f_6c6c_6361_6c6c;
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Applies the pending migrations and returns their names. An SQLite file that doesn't exist is
/// created, readable by its owner only. Nodes that start together wait for each other.
///
/// # Errors
/// [`Error::Migration`] when the database can't be opened or a migration fails.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>> {
    if let DatabaseUrl::Sqlite(path) = url {
        create_private(path)?;
    }
    with_lock(url, |connection| match connection {
        AnyConnection::Postgres(c) => apply(c, POSTGRES),
        AnyConnection::Sqlite(c) => apply(c, SQLITE),
    })
}

/// Reverts every migration, newest first, which deletes all data.
///
/// # Errors
/// As [`run`].
pub fn revert_all(url: &DatabaseUrl) -> Result<()> {
    with_lock(url, |connection| match connection {
        AnyConnection::Postgres(c) => c.revert_all_migrations(POSTGRES).map(drop).map_err(failed),
        AnyConnection::Sqlite(c) => c.revert_all_migrations(SQLITE).map(drop).map_err(failed),
    })
}

/// Returns how many of the binary's migrations are not applied to the database.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
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

/// Runs `work` in one process at a time: with PostgreSQL by an advisory lock, with SQLite by a lock
/// on the file's folder. Either is released when this returns, also on an error.
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

/// Creates the file with mode 0600, unless it exists. It contains password hashes.
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
