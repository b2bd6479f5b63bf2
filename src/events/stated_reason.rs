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
        // Without what breaks a line, or has no width at an end. The two characters that end a line
        // of Windows are one break.
        let line: String = text
            .replace("\r\n", "\n")
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .collect();
        let has_no_width = |c: char| c == ' ' || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}');
        let reason = text::clean(&line).trim_matches(has_no_width).to_owned();
        match reason.chars().count() {
            _ if text::is_invisible(&reason) => {
                Err(Error::field("reason", "must have 1 to 500 characters"))
            }
            1..=Self::LIMIT => Ok(Self(reason)),
            _ => Err(Error::field("reason", "must have 1 to 500 characters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_between_lines_is_one_space() {
        for text in ["a\nb", "a\r\nb", "a\rb"] {
            let reason: StatedReason = text.parse().unwrap();
            assert_eq!(reason.as_str(), "a b");
        }
    }
}
