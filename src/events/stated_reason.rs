//! The reason that an administrator states for what they do to somebody.

use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::text;

/// The reason that an administrator states: 1 to 500 characters on one line, which the person whom it
/// concerns sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StatedReason(String);

impl StatedReason {
    /// Characters a reason may have.
    pub const LIMIT: usize = 500;

    /// Returns the reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StatedReason {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let reason = text::clean(text);
        match reason.chars().count() {
            1..=Self::LIMIT => Ok(Self(reason)),
            _ => Err(Error::field("reason", "must have 1 to 500 characters")),
        }
    }
}
