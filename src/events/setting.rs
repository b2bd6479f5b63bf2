//! The settings of an account whose changes are recorded.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// A setting that a person changed. Its text form is the detail of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
pub enum Setting {
    /// The name to call them by.
    Name,
    /// Whether alerts are sent by mail as well.
    AlertMail,
    /// How long their sessions live without use.
    IdleLimit,
    /// How much of their addresses is stored.
    Addresses,
    /// A device is exempt from the idle limit.
    IdleExempt,
    /// A device is no longer exempt from it.
    IdleExemptionEnded,
    /// The time zone that they read times in.
    TimeZone,
}

impl Setting {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
