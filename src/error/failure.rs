//! What failed on our side: words for the log, and the error that caused it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// A message for the log and for operators about what failed, and the error that caused it. Neither
/// is sent to a client.
#[derive(Debug, Clone)]
pub struct Failure {
    message: Cow<'static, str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// Returns a failure that another error caused.
    pub fn new(
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(Arc::from(source.into())),
        }
    }

    /// Returns a failure without an underlying error.
    #[must_use]
    pub const fn because(message: &'static str) -> Self {
        Self {
            message: Cow::Borrowed(message),
            source: None,
        }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// Displays an error followed by its sources, separated by colons: the form that logs and the
/// command line print. A source that the error before it ends with is not repeated, and everything
/// is on one line: what others wrote into an error can't forge a line of the log.
pub struct Chain<'a>(pub &'a dyn StdError);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = one_line(self.0);
        f.write_str(&shown)?;
        let mut source = self.0.source();
        while let Some(err) = source {
            let text = one_line(err);
            if !shown.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            shown = text;
            source = err.source();
        }
        Ok(())
    }
}

/// Returns an error's text with line breaks and tabs as spaces, and other control characters
/// escaped.
fn one_line(err: &dyn StdError) -> String {
    let text = err.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    words.join(" ").chars().map(escaped).collect()
}
