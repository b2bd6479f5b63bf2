//! The export of events: those that a filter finds, as a file.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

use super::export::{ExportFile, ExportFormat, ExportPage, ExportRow};
use crate::account::{Accounts, EventFilter, EventLogQuery, EventRecord};
use crate::error::{Error, Failure, Result};

/// The events read at once.
const PAGE: u32 = 500;

/// The columns of the file, which are the fields of a record.
const COLUMNS: [&str; 16] = [
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
];

/// Sends the events that the query of a request finds, newest first: the parts of a filter, and
/// `format`. Spans before now in the filter are counted from the request.
///
/// # Errors
/// [`Error::Invalid`] when the query is not valid; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn export_events(accounts: &Accounts, query: &str) -> Result<HttpResponse> {
    let (format, filter) = parse(query)?;
    let file = ExportFile {
        name: "rollcall-events",
        format,
        columns: &COLUMNS,
    };
    let (accounts, filter) = (accounts.clone(), accounts.fix_times(&filter));
    file.send(move |cursor: Option<String>| {
        let accounts = accounts.clone();
        let query = EventLogQuery {
            filter: filter.clone(),
            cursor,
            limit: PAGE,
        };
        async move {
            let page = accounts.search_events(&query).await?;
            let rows = page.events.into_iter().map(EventRecord::from).map(row);
            Ok(ExportPage {
                rows: rows.collect::<Result<_>>()?,
                next: page.next,
            })
        }
    })
    .await
}

fn parse(query: &str) -> Result<(ExportFormat, EventFilter)> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let format = pairs.iter().find(|(name, _)| name == "format");
    let format = ExportFormat::parse(format.map_or("", |(_, value)| value.trim()))?;
    let others = pairs.iter().filter(|(name, _)| name != "format");
    let filter = EventFilter::parse(others.map(|(name, value)| (&**name, &**value)))?;
    Ok((format, filter))
}

fn row(record: EventRecord) -> Result<ExportRow> {
    Ok(vec![
        value(record.id)?,
        value(record.at)?,
        value(record.kind)?,
        value(record.detail)?,
        value(record.user_id)?,
        value(record.user_email)?,
        value(record.session_id)?,
        value(record.device_name)?,
        value(record.by_user_id)?,
        value(record.by_email)?,
        value(record.by_session_id)?,
        value(record.by_application_id)?,
        value(record.by_application)?,
        value(record.ip_address)?,
        value(record.stated_reason)?,
        value(record.job_id)?,
    ])
}

fn value(value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|err| Error::Internal(Failure::new("a value of an export is not JSON", err)))
}
