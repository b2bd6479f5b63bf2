//! The errors of commands, in words for the person at the terminal.

use std::io;

use crate::error::Error;

/// The result of a command.
pub(super) type Result<T, E = CliError> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// An error of the service.
    #[error(transparent)]
    Service(#[from] Error),
    /// What an argument names does not exist.
    #[error("there is no {what} {name}")]
    NotFound {
        /// What it would be.
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
        /// What failed.
        action: &'static str,
        source: io::Error,
    },
}

/// Translates the errors that concern an argument, which names a `what`.
pub(super) fn about(what: &'static str, name: &str) -> impl FnOnce(Error) -> CliError {
    let name = name.to_owned();
    move |err| match err {
        Error::NotFound => CliError::NotFound { what, name },
        err => invalid_or_service(err),
    }
}

/// Translates an error about a value that was given.
pub(super) fn invalid_or_service(err: Error) -> CliError {
    match err {
        Error::Invalid(_) => CliError::Invalid(err.detail()),
        err => CliError::Service(err),
    }
}
