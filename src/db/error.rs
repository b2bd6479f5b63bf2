//! Converts Diesel's errors into the service's error, with Diesel's as the source.

use diesel::r2d2::HandleError;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::{Chain, Error, Failure};

impl From<DieselError> for Error {
    fn from(err: DieselError) -> Self {
        match &err {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => {
                Self::Disconnected(Failure::new("a statement was cut off", err))
            }
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
                Self::Conflict(Failure::new("a unique constraint was violated", err))
            }
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                Self::Reference(Failure::new("a foreign key was violated", err))
            }
            DieselError::DatabaseError(kind, info) if is_transient(kind, info.message()) => {
                Self::Unavailable(Failure::new("a statement failed for now", err))
            }
            DieselError::BrokenTransactionManager => {
                Self::Disconnected(Failure::new("a transaction was cut off", err))
            }
            _ => Self::Internal(Failure::new("a statement failed", err)),
        }
    }
}

/// Returns whether the same statement may succeed later. Diesel has no kinds for SQLite's result
/// codes, so they are recognized by SQLite's messages for them (`sqlite3_errstr`).
fn is_transient(kind: &DatabaseErrorKind, message: &str) -> bool {
    const TRANSIENT: [&str; 7] = [
        "deadlock detected",
        "canceling statement due to lock timeout",
        "database is locked",
        "database table is locked",
        "disk I/O error",
        "unable to open database file",
        "database or disk is full",
    ];
    matches!(
        kind,
        DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction
    ) || TRANSIENT.iter().any(|known| message.contains(known))
}

/// Logs that a pool could not open a connection. The pool retries.
#[derive(Debug)]
pub(super) struct LogConnectionErrors;

impl HandleError<diesel::r2d2::Error> for LogConnectionErrors {
    fn handle_error(&self, err: diesel::r2d2::Error) {
        tracing::warn!(error = %Chain(&err), "a database connection could not be opened");
    }
}
