//! The errors of commands, worded for the person at the terminal.

use std::io;

use crate::error::Error;

/// The result of a command.
pub(super) type Result<T, E = CliError> = std::result::Result<T, E>;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// An error of the service.
    #[error(transparent)]
    Service(Error),
    /// An argument names something that does not exist.
    #[error("there is no {what} {name}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The name in the argument.
        name: String,
    },
    /// An argument or the input is not valid.
    #[error("{0}")]
    Invalid(String),
    /// Reading the input or writing the output failed.
    #[error("{action}")]
    Io {
        /// The action that failed.
        action: &'static str,
        source: io::Error,
    },
}

impl CliError {
    /// Returns whether the reader of the output has read enough.
    pub(super) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<Error> for CliError {
    fn from(err: Error) -> Self {
        invalid_or_service(err)
    }
}

/// Translates an error about an argument that names a `what`.
pub(super) fn about(what: &'static str, name: &str) -> impl FnOnce(Error) -> CliError {
    let name = name.to_owned();
    move |err| match err {
        Error::NotFound => CliError::NotFound { what, name },
        err => invalid_or_service(err),
    }
}

/// Translates an error about a value from the command line or the input.
pub(super) fn invalid_or_service(err: Error) -> CliError {
    match err {
        Error::Invalid(_) => CliError::Invalid(err.detail()),
        err => CliError::Service(err),
    }
}
