//! The export of events: those that a filter finds, as a file.

use actix_web::HttpResponse;

use super::export::{ExportFile, ExportPage, ExportRow, read_format};
use super::export_reader::ExportReader;
use crate::account::{Accounts, EventFilter, EventLogQuery, EventRecord};
use crate::error::Result;

/// The events read at once.
const PAGE: u32 = 500;

/// The columns of the file, which are the fields of a record.
const COLUMNS: [&str; 18] = [
    "id",
    "at",
    "kind",
    "detail",
    "user_id",
    "user_email",
    "session_id",
    "device_name",
    "by_user_id",
    "by_email",
    "by_session_id",
    "by_application_id",
    "by_application",
    "ip_address",
    "stated_reason",
    "job_id",
    "times",
    "last_at",
];

/// Sends the events that the query of a request finds, newest first: the parts of a filter, and
/// `format`. Spans before now in the filter are counted from the request.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the query is not valid; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't
/// respond.
pub async fn export_events(
    reader: ExportReader,
    accounts: &Accounts,
    query: &str,
) -> Result<HttpResponse> {
    let mut filter = EventFilter::default();
    let format = read_format(query, &EventFilter::NAMES, |name, value| {
        filter.set(name, value)
    })?;
    filter.check()?;
    let file = ExportFile {
        name: "rollcall-events",
        format,
        columns: &COLUMNS,
    };
    let (accounts, filter) = (accounts.clone(), accounts.fix_times(&filter));
    file.send(reader, move |cursor: Option<String>| {
        let accounts = accounts.clone();
        let query = EventLogQuery {
            filter: filter.clone(),
            cursor,
            limit: PAGE,
        };
        async move {
            let page = accounts.search_events(&query).await?;
            let records = page.events.into_iter().map(EventRecord::from);
            let rows = records.map(|record| ExportRow::new(&record));
            Ok(ExportPage {
                rows: rows.collect::<Result<_>>()?,
                next: page.next,
            })
        }
    })
    .await
}
