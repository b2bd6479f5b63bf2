//! The states of a bulk job, and why one was stopped.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use crate::events::Origin;

/// Whether a bulk job is running, or how it ended. Its text form is stored, and is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum BulkState {
    /// There is more to do, by whichever node comes first.
    Running,
    /// It has come to its end.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// It could not go on.
    Failed,
}

impl BulkState {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a bulk job was stopped. Its text form is stored, and is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StopCause {
    /// Somebody asked for it.
    Requested,
    /// Whoever ordered it was disabled.
    Disabled,
    /// Whoever ordered it ceased to be an administrator.
    Demoted,
    /// The account of whoever ordered it was deleted.
    Deleted,
    /// The account of whoever ordered it was taken back by its mailbox, or got a new password from
    /// outside every session: somebody else may have ordered it.
    Secured,
    /// The key that ordered it was revoked, or may not end sessions any more.
    KeyRevoked,
    /// The key that ordered it has expired.
    KeyExpired,
}

impl StopCause {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a job is stopped, and who does it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop<'a> {
    pub(crate) cause: StopCause,
    pub(crate) origin: &'a Origin,
}
