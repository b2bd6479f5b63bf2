//! `/api/v1/admin/events`: the security log.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::try_join;
use serde::Serialize;

use crate::account::{EventLogPage, EventLogQuery, EventRecord};
use crate::error::Result;
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;
use crate::http::event_export::export_events;
use crate::http::export_reader::ExportReader;
use crate::listing::{ListEnds, QueryPairs};
use crate::people::Role;

/// A page of the log, newest event first.
#[derive(Serialize)]
struct EventList {
    events: Vec<EventRecord>,
    #[serde(flatten)]
    ends: ListEnds,
}

/// Lists a page of the events that satisfy a filter.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) with every part of the query that is unknown or not
/// valid; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    AuditApiCaller(_): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let pairs = QueryPairs::of(request.query_string());
    let query = EventLogQuery::parse(pairs.iter())?;
    let total = app.accounts.count_events(&query.filter);
    let (page, total) = try_join(app.accounts.search_events(&query), total).await?;
    let total = page.total(total);
    let EventLogPage {
        events,
        next,
        previous,
        more,
    } = page;
    Ok(HttpResponse::Ok().json(EventList {
        events: events.into_iter().map(EventRecord::from).collect(),
        ends: ListEnds {
            next_cursor: next,
            previous_cursor: previous,
            is_partial: more.is_some(),
            total,
        },
    }))
}

/// Sends all events that satisfy a filter as a file.
///
/// # Errors
/// As [`export_events`].
pub async fn export(
    app: web::Data<AppState>,
    AuditApiCaller(caller): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Auditor);
    export_events(reader, &app.accounts, request.query_string()).await
}
