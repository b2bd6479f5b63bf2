//! What commands write: results on standard output, as text or JSON, and messages on standard error.
//! A reader that has read enough (`| head -1`) ends a command quietly.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use super::error::{CliError, Result};
use crate::error::{Error, Failure};
use crate::listing::Limit;

/// Writes a line of the result, formatted as by `println!`.
macro_rules! print_line {
    ($($text:tt)*) => {
        $crate::cli::output::write_line(format_args!($($text)*))
    };
}

/// Writes a message for the person at the terminal, formatted as by `eprintln!`, if they still read.
macro_rules! message {
    ($($text:tt)*) => {
        $crate::cli::output::write_message(format_args!($($text)*))
    };
}

pub(super) use {message, print_line};

pub(super) fn write_line(text: fmt::Arguments<'_>) -> Result<()> {
    // A file or a pipe gets each line at once as well.
    writeln!(io::stdout(), "{text}").map_err(not_written)
}

/// Writes a part of the result.
pub(super) fn write_bytes(bytes: &[u8]) -> Result<()> {
    io::stdout().write_all(bytes).map_err(not_written)
}

pub(super) fn write_message(text: fmt::Arguments<'_>) {
    // Who closed standard error doesn't want to know.
    writeln!(io::stderr(), "{text}").unwrap_or_default();
}

/// Prints `value` as JSON, for programs.
pub(super) fn print_json<T: Serialize>(value: &T) -> Result<()> {
    print_line!("{}", json(value, serde_json::to_string_pretty)?)
}

/// Prints `value` as JSON on one line.
pub(super) fn print_json_line<T: Serialize>(value: &T) -> Result<()> {
    print_line!("{}", json(value, serde_json::to_string)?)
}

fn json<T: Serialize>(
    value: &T,
    format: impl FnOnce(&T) -> serde_json::Result<String>,
) -> Result<String> {
    let refused = |err| Error::Internal(Failure::new("the result is not JSON", err));
    Ok(format(value).map_err(refused)?)
}

fn not_written(source: io::Error) -> CliError {
    CliError::Io {
        action: "the result could not be written",
        source,
    }
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListForm {
    /// A line of text for each item.
    Lines,
    /// A JSON object for each item, on a line.
    JsonLines,
    /// A JSON array, with a line for each item.
    Json,
}

/// A list that is written while it is read.
pub(super) struct ListOutput {
    form: ListForm,
    printed: usize,
}

impl ListOutput {
    /// Begins the list.
    pub(super) fn begin(form: ListForm) -> Self {
        Self { form, printed: 0 }
    }

    /// Writes an item: its record, or the line.
    pub(super) fn item<T: Serialize>(
        &mut self,
        record: &T,
        line: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let comma = if self.printed == 0 { "[ " } else { ", " };
        self.printed += 1;
        match self.form {
            ListForm::Lines => print_line!("{}", line(record)),
            ListForm::JsonLines => print_json_line(record),
            ListForm::Json => print_line!("{comma}{}", json(record, serde_json::to_string)?),
        }
    }

    /// Ends the list; `next` is the cursor of what follows its last item.
    pub(super) fn end(self, next: Option<&str>) -> Result<()> {
        match (self.form, self.printed) {
            (ListForm::Json, 0) => print_line!("[]")?,
            (ListForm::Json, _) => print_line!("]")?,
            (ListForm::Lines | ListForm::JsonLines, _) => {}
        }
        if let Some(cursor) = next {
            message!("There are more: --cursor {cursor}");
        }
        Ok(())
    }
}

/// How far a list was read, page by page: never more than a page of it is in memory.
pub(super) struct Paging {
    rest: u64,
    is_over: bool,
}

impl Paging {
    /// Begins to read a list of at most so many items.
    pub(super) fn begin(most: u64) -> Self {
        Self {
            rest: most,
            is_over: false,
        }
    }

    /// Returns the most items of the next page; `None` where nothing is left to read.
    pub(super) fn limit(&self) -> Option<u32> {
        let limit = u32::try_from(self.rest).map_or(Limit::MAX, |rest| rest.min(Limit::MAX));
        (!self.is_over && limit > 0).then_some(limit)
    }

    /// Records that a page was read, and whether there is another one.
    pub(super) fn turn(&mut self, items: usize, has_next: bool) {
        self.rest = self.rest.saturating_sub(items as u64);
        self.is_over = !has_next;
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
