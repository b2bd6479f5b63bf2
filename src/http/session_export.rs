//! The export of sessions: those that a filter finds, as a file.

use actix_web::HttpResponse;

use super::export::{ExportFile, ExportFormat, ExportPage, ExportRow, read_format};
use super::export_reader::ExportReader;
use crate::clock::Clock;
use crate::error::Result;
use crate::listing::together;
use crate::sessions::Sessions;
use crate::sessions::search::{SearchQuery, SessionRecord};

/// The sessions read at once.
const PAGE: u32 = 500;

/// The columns of the file.
const COLUMNS: [&str; 24] = [
    "id",
    "state",
    "user_id",
    "owner/email",
    "owner/full_name",
    "owner/subject",
    "owner/application_id",
    "device_name",
    "device_kind",
    "browser",
    "os",
    "ip_address",
    "location_city",
    "location_country",
    "created_at",
    "last_used_at",
    "expires_at",
    "ended_at",
    "ended_reason",
    "country_changed",
    "impossible_travel",
    "opened_via",
    "bound_since",
    "idle_exempt",
];

/// Sends the sessions that the query of a request finds: the parts of a filter, `sort` and `format`.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the query is not valid; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't
/// respond.
pub async fn export_sessions(
    reader: ExportReader,
    sessions: &Sessions,
    clock: &Clock,
    query: &str,
) -> Result<HttpResponse> {
    let (format, query) = parse(query)?;
    let file = ExportFile {
        name: "rollcall-sessions",
        format,
        columns: &COLUMNS,
    };
    let (sessions, clock) = (sessions.clone(), clock.clone());
    let read = move |cursor| {
        let (sessions, clock, query) = (sessions.clone(), clock.clone(), query.clone());
        async move {
            let query = SearchQuery { cursor, ..query };
            let page = sessions.search(query).await?;
            let rows = page.found.into_iter().map(|found| {
                let record = SessionRecord::new(found, None, clock.now());
                ExportRow::new(&record)
            });
            Ok(ExportPage {
                rows: rows.collect::<Result<_>>()?,
                next: page.next,
            })
        }
    };
    file.send(reader, read).await
}

/// Reads the parts of a filter, `sort` and `format`.
fn parse(query: &str) -> Result<(ExportFormat, SearchQuery)> {
    let names: Vec<&str> = SearchQuery::names().collect();
    let mut parts = Vec::new();
    let format = read_format(query, &names, |name, value| {
        parts.push((name.to_owned(), value));
        Ok(())
    });
    let pairs = parts.iter().map(|(name, value)| (&**name, &**value));
    let (format, query) = together(format, SearchQuery::parse(pairs))?;
    let limit = PAGE;
    Ok((format, SearchQuery { limit, ..query }))
}
