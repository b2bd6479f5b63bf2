//! The results of commands: as JSON on standard output, and in sentences.

use serde::Serialize;

use super::error::Result;
use crate::error::{Error, Failure};

/// Prints `value` as JSON, for programs.
pub(super) fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|err| Error::Internal(Failure::new("the result is not JSON", err)))?;
    println!("{text}");
    Ok(())
}

/// Returns by what a person is known in a line of text: their e-mail, else their subject.
pub(super) fn email_or_subject(email: Option<&str>, subject: Option<&str>) -> String {
    match (email, subject) {
        (Some(email), _) => email.to_owned(),
        (None, Some(subject)) => format!("subject {subject}"),
        (None, None) => "-".into(),
    }
}

/// Returns how many sessions were ended, in a sentence.
pub(super) fn describe_ended(count: usize) -> String {
    match count {
        0 => "No session was live.".into(),
        1 => "1 session is ended.".into(),
        count => format!("{count} sessions are ended."),
    }
}
