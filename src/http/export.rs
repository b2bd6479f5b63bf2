//! Files of rows that are sent while they are read: CSV (RFC 4180) and JSON Lines. A file of any
//! length takes the memory of a page.

use std::borrow::Cow;
use std::future::Future;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::future::{Either, ready};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Serialize, Serializer};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr};

use super::export_reader::ExportReader;
use crate::error::{Chain, Error, Failure, Result};
use crate::listing::{QueryPairs, read_parts};

/// The name of the part that says the format.
const FORMAT: &str = "format";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values, with the names of the columns in the first row.
    #[default]
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

impl ExportFormat {
    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => "application/jsonl; charset=utf-8",
        }
    }
}

/// A file to be sent.
#[derive(Debug, Clone, Copy)]
pub struct ExportFile {
    /// Its name, without the extension.
    pub name: &'static str,
    /// Its format.
    pub format: ExportFormat,
    /// Where in the record of a row the values of its columns are: the name of a field, or the names of
    /// fields within each other, with slashes between. The last name is that of the column, and the key
    /// of a JSON object.
    pub columns: &'static [&'static str],
}

/// Some rows, and where the next ones begin.
pub struct ExportPage<P> {
    /// The records of the rows.
    pub rows: Vec<ExportRow>,
    /// The position of the next rows; `None` at the end.
    pub next: Option<P>,
}

/// The record of a row, as JSON.
#[derive(Debug, Clone)]
pub struct ExportRow(Value);

impl ExportRow {
    /// Returns the row of a record.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not JSON.
    pub fn new(record: &impl Serialize) -> Result<Self> {
        let refused = |err| Error::Internal(Failure::new("a row of an export is not JSON", err));
        serde_json::to_value(record).map(Self).map_err(refused)
    }

    fn value(&self, column: &str) -> &Value {
        column.split('/').fold(&self.0, |value, name| {
            value.get(name).unwrap_or(&Value::Null)
        })
    }
}

/// Reads the query of a request for a file: `format`, and what has one of `names` with `set`.
///
/// # Errors
/// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
pub fn read_format(
    query: &str,
    names: &[&str],
    mut set: impl FnMut(&str, String) -> Result<(), String>,
) -> Result<ExportFormat> {
    let names: Vec<&str> = names.iter().copied().chain([FORMAT]).collect();
    let pairs = QueryPairs::of(query);
    let mut format = ExportFormat::default();
    read_parts(pairs.iter(), &names, |name, value| {
        match name {
            FORMAT => format = value.parse().map_err(|_| "must be csv or jsonl")?,
            name => set(name, value)?,
        }
        Ok(())
    })?;
    Ok(format)
}

impl ExportFile {
    /// Sends the file. `read` reads the rows at a position; the first ones are read before the
    /// response begins. An error after that breaks the response off, so that no client takes what it
    /// received for all there is; it is one as well that `reader` may not read on.
    ///
    /// # Errors
    /// The error of the first `read`.
    pub async fn send<P, F>(
        self,
        reader: ExportReader,
        read: impl Fn(Option<P>) -> F + 'static,
    ) -> Result<HttpResponse>
    where
        P: 'static,
        F: Future<Output = Result<ExportPage<P>>> + 'static,
    {
        let first = Upcoming::Page(read(None).await?);
        let head = self.head()?;
        let pages = stream::try_unfold(first, move |upcoming| {
            let (page, reader) = match upcoming {
                Upcoming::Page(page) => (Either::Left(ready(Ok(page))), None),
                Upcoming::At(position) => {
                    (Either::Right(read(Some(position))), Some(reader.clone()))
                }
                Upcoming::End => return Either::Left(ready(Ok(None))),
            };
            Either::Right(async move {
                if let Some(reader) = reader {
                    reader.verify().await?;
                }
                let page = page.await?;
                let next = page.next.map_or(Upcoming::End, Upcoming::At);
                Ok(Some((self.body(&page.rows)?, next)))
            })
        });
        let body = stream::once(async move { Ok(head) }).chain(pages);
        let body = body.inspect_err(|err: &Error| {
            tracing::warn!(error = %Chain(err), "an export was broken off");
        });
        let extension: &str = self.format.into();
        let disposition = format!(r#"attachment; filename="{}.{extension}""#, self.name);
        Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, self.format.content_type()))
            .insert_header((header::CONTENT_DISPOSITION, disposition))
            .streaming(body))
    }

    fn head(&self) -> Result<Bytes> {
        match self.format {
            ExportFormat::Csv => to_csv([self.columns.iter().copied().map(name)]),
            ExportFormat::Jsonl => Ok(Bytes::new()),
        }
    }

    fn body(&self, rows: &[ExportRow]) -> Result<Bytes> {
        match self.format {
            ExportFormat::Csv => {
                let cells = |row: &'_ ExportRow| {
                    let cells = self.columns.iter().map(|column| cell(row.value(column)));
                    cells.map(Cow::into_owned).collect::<Vec<String>>()
                };
                to_csv(rows.iter().map(cells))
            }
            ExportFormat::Jsonl => self.to_jsonl(rows),
        }
    }

    fn to_jsonl(self, rows: &[ExportRow]) -> Result<Bytes> {
        let mut lines = Vec::new();
        for row in rows {
            let object = self
                .columns
                .iter()
                .map(|column| (name(column), row.value(column)));
            serde_json::Serializer::new(&mut lines)
                .collect_map(object)
                .map_err(not_written)?;
            lines.push(b'\n');
        }
        Ok(Bytes::from(lines))
    }
}

/// Returns the name of a column.
fn name(column: &str) -> &str {
    column.rsplit('/').next().unwrap_or(column)
}

/// What is sent next.
enum Upcoming<P> {
    Page(ExportPage<P>),
    At(P),
    End,
}

fn to_csv<R>(rows: impl IntoIterator<Item = R>) -> Result<Bytes>
where
    R: IntoIterator<Item: AsRef<str>>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        for cell in row {
            writer.write_field(cell.as_ref()).map_err(not_written)?;
        }
        writer.write_record(None::<&[u8]>).map_err(not_written)?;
    }
    let written = writer.into_inner();
    written
        .map(Bytes::from)
        .map_err(|err| not_written(err.into_error()))
}

fn not_written(err: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Failure::new("the rows of an export can't be written", err))
}

/// Returns the text of a value in a cell of CSV.
fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => defused(text),
        value => Cow::Owned(value.to_string()),
    }
}

/// Returns a text in which no spreadsheet finds a formula: what would be one begins with an
/// apostrophe, by which spreadsheets recognise plain text. Where others than commas separate cells, a
/// part of the text becomes a cell.
fn defused(text: &str) -> Cow<'_, str> {
    /// What separates cells in some locales.
    const SEPARATORS: [char; 2] = [';', '\t'];

    let mut parts = text.split_inclusive(SEPARATORS);
    let first = parts.next().unwrap_or_default();
    let is_harmless = !is_formula(text) && !parts.clone().any(is_formula);
    if is_harmless {
        return Cow::Borrowed(text);
    }
    let mark = |begins: bool| if begins { "'" } else { "" };
    let mut defused = format!("{}{first}", mark(is_formula(text)));
    for part in parts {
        defused.push_str(mark(is_formula(part)));
        defused.push_str(part);
    }
    Cow::Owned(defused)
}

fn is_formula(text: &str) -> bool {
    /// What formulas begin with, also in the wide forms that some spreadsheets read the same.
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    /// Characters that have no width and are no white space.
    const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

    let begins_with_control = text.starts_with(char::is_control);
    let visible = text.trim_start_matches(|c: char| {
        c.is_whitespace() || c.is_control() || INVISIBLE.contains(&c)
    });
    begins_with_control || visible.starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_takes_for_a_formula_is_defused() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\r=1",
            "\n",
            "  =1",
            "\u{a0}=1",
            "\u{3000}＝1",
            "\u{200b}=1",
            "\u{feff}@x",
            "＋1",
            "－1",
            "＠x",
        ] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for (text, expected) in [
            ("a;=1+1;b", "a;'=1+1;b"),
            ("a; =1", "a;' =1"),
            ("a\t@x", "a\t'@x"),
            ("\t=1", "'\t'=1"),
            ("=1;+2;c", "'=1;'+2;c"),
        ] {
            assert_eq!(defused(text), expected);
        }
        for plain in [
            "",
            "Ada",
            "a=b",
            "1-2",
            "'=1",
            "ana+tag@example.org",
            " x",
            "a; b;",
        ] {
            assert_eq!(defused(plain), plain);
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let written = to_csv([["a,b", "say \"yes\"", "two\nlines", ""]]).unwrap();
        assert_eq!(
            written,
            "\"a,b\",\"say \"\"yes\"\"\",\"two\nlines\",\r\n".as_bytes()
        );
    }
}
