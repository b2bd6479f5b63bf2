//! What commands write: results on standard output, as text or JSON, and messages on standard error.
//! A reader that has read enough (`| head -1`) ends a command quietly.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use super::error::{CliError, Result};
use crate::error::{Error, Failure};
use crate::listing::{Limit, ListEnds, MatchCount};

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
    /// The JSON object that the API returns for a list.
    Json,
}

/// A list that is written while it is read.
pub(super) struct ListOutput {
    form: ListForm,
    printed: usize,
}

impl ListOutput {
    /// Begins the list of that name.
    pub(super) fn begin(form: ListForm, name: &str) -> Result<Self> {
        if form == ListForm::Json {
            print_line!("{{\"{name}\": [")?;
        }
        let printed = 0;
        Ok(Self { form, printed })
    }

    /// Writes an item: its record, or the line.
    pub(super) fn item<T: Serialize>(
        &mut self,
        record: &T,
        line: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let comma = if self.printed == 0 { "  " } else { ", " };
        self.printed += 1;
        match self.form {
            ListForm::Lines => print_line!("{}", line(record)),
            ListForm::JsonLines => print_json_line(record),
            ListForm::Json => print_line!("{comma}{}", json(record, serde_json::to_string)?),
        }
    }

    /// Returns how many items were written.
    pub(super) fn printed(&self) -> usize {
        self.printed
    }

    /// Ends the list. The cursors are those before its first and after its last item.
    pub(super) fn end(self, ends: &ListEnds) -> Result<()> {
        match (self.form, &ends.next_cursor) {
            (ListForm::Json, _) => {
                let object = json(ends, serde_json::to_string)?;
                print_line!("], {}", object.trim_start_matches('{'))
            }
            (ListForm::Lines, Some(cursor)) => {
                message!("There are more: --cursor {cursor}");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// How far a list was read, page by page: never more than a page of it is in memory.
pub(super) struct Paging {
    rest: u64,
    ends: Option<ListEnds>,
}

impl Paging {
    /// Begins to read a list of at most so many items.
    pub(super) fn begin(most: u64) -> Self {
        let (rest, ends) = (most, None);
        Self { rest, ends }
    }

    /// Returns the most items of the next page; `None` where nothing is left to read.
    pub(super) fn limit(&self) -> Option<u32> {
        let has_more = |ends: &ListEnds| ends.next_cursor.is_some();
        let is_over = self.rest == 0 || !self.ends.as_ref().is_none_or(has_more);
        let limit = u32::try_from(self.rest).map_or(Limit::MAX, |rest| rest.min(Limit::MAX));
        (!is_over).then_some(limit)
    }

    /// Records that a page was read, with the cursors of those beside it.
    pub(super) fn turn(&mut self, items: usize, previous: Option<String>, next: Option<String>) {
        self.rest = self.rest.saturating_sub(items as u64);
        let ends = self.ends.get_or_insert_with(|| ListEnds {
            previous_cursor: previous,
            ..ListEnds::none()
        });
        ends.next_cursor = next;
    }

    /// Returns the cursors before the first and after the last item of those that were read, which are
    /// `printed` of the `total`.
    pub(super) fn ends(self, printed: usize, total: MatchCount) -> ListEnds {
        let ends = self.ends.unwrap_or_else(ListEnds::none);
        let is_all = ends.next_cursor.is_none() && ends.previous_cursor.is_none();
        ListEnds {
            total: total.of_page(printed, is_all),
            ..ends
        }
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
