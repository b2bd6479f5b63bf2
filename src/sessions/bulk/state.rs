//! The states of a bulk job.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

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
