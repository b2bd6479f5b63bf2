//! The export of sessions: those that a filter finds, as a file.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

use super::export::{ExportFile, ExportFormat, ExportPage, ExportRow};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Failure, Result};
use crate::sessions::Sessions;
use crate::sessions::search::{FoundSession, SearchQuery};

/// The sessions read at once.
const PAGE: u32 = 500;

/// The columns of the file.
const COLUMNS: [&str; 22] = [
    "id",
    "state",
    "user_id",
    "email",
    "full_name",
    "subject",
    "application_id",
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
];

/// Sends the sessions that the query of a request finds: the parts of a filter, `sort` and `format`.
///
/// # Errors
/// [`Error::Invalid`] when the query is not valid; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn export_sessions(
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
            let rows = page.found.iter().map(|found| row(found, clock.now()));
            Ok(ExportPage {
                rows: rows.collect::<Result<_>>()?,
                next: page.next,
            })
        }
    };
    file.send(read).await
}

fn parse(query: &str) -> Result<(ExportFormat, SearchQuery)> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(given, _)| given == name);
    if let Some((name, _)) = value("limit").or(value("cursor")) {
        return Err(Error::field(name.clone(), "is not a part of an export"));
    }
    let format = value("format").map_or("", |(_, value)| value.trim());
    let format = ExportFormat::parse(format)?;
    let others = pairs.iter().filter(|(name, _)| name != "format");
    let query = SearchQuery::parse(others.map(|(name, value)| (&**name, &**value)))?;
    Ok((
        format,
        SearchQuery {
            limit: PAGE,
            ..query
        },
    ))
}

fn row(found: &FoundSession, now: Timestamp) -> Result<ExportRow> {
    let FoundSession { session, owner } = found;
    Ok(vec![
        value(session.id)?,
        value(found.state(now))?,
        value(owner.id)?,
        value(owner.known_email())?,
        value(&owner.full_name)?,
        value(&owner.external_subject)?,
        value(owner.application_id)?,
        value(&session.device_name)?,
        value(session.device_kind)?,
        value(&session.browser)?,
        value(&session.os)?,
        value(found.shown_ip())?,
        value(&session.location_city)?,
        value(&session.location_country)?,
        value(session.created_at)?,
        value(session.last_used_at)?,
        value(session.expires_at)?,
        value(session.ended_at)?,
        value(session.ended_reason)?,
        value(session.has_changed_country)?,
        value(session.has_impossible_travel)?,
        value(session.opened_via.as_str())?,
    ])
}

fn value(value: impl Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|err| Error::Internal(Failure::new("a value of an export is not JSON", err)))
}
