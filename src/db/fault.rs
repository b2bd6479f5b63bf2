//! What goes wrong at the database, in the words of the service's one error.

use diesel::r2d2::HandleError;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::Error;

impl From<DieselError> for Error {
    fn from(fault: DieselError) -> Self {
        match fault {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Disconnected(info.message().to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Conflict(info.message().to_owned())
            }
            DieselError::DatabaseError(kind, info) if will_pass(&kind, info.message()) => {
                Self::Unavailable(info.message().to_owned())
            }
            DieselError::BrokenTransactionManager => {
                Self::Disconnected("a transaction was cut off".into())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Whether the same statement may well succeed later. Diesel has no kinds for SQLite's result
/// codes, so they are told by SQLite's own words for them (`sqlite3_errstr`).
fn will_pass(kind: &DatabaseErrorKind, message: &str) -> bool {
    const PASSING: [&str; 5] = [
        "database is locked",
        "database table is locked",
        "disk I/O error",
        "unable to open database file",
        "database or disk is full",
    ];
    matches!(
        kind,
        DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction
    ) || PASSING.iter().any(|words| message.contains(words))
}

/// A pool that cannot open a connection says so and tries again.
#[derive(Debug)]
pub(super) struct LogAndGoOn;

impl HandleError<diesel::r2d2::Error> for LogAndGoOn {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        tracing::warn!(%error, "a database connection could not be opened");
    }
}
