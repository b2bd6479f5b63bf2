//! `/api/v1/admin/events`: the security log.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use url::form_urlencoded;

use crate::account::{EventLogPage, EventLogQuery, EventRecord};
use crate::error::Result;
use crate::http::admin_caller::AuditApiCaller;
use crate::http::app_state::AppState;
use crate::http::event_export::export_events;

/// A page of the log, newest event first.
#[derive(Serialize)]
struct EventList {
    events: Vec<EventRecord>,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    /// Whether searching took too long: the next page in its direction goes on.
    is_partial: bool,
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
    let pairs: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes()).collect();
    let query = EventLogQuery::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let EventLogPage {
        events,
        next,
        previous,
        more,
    } = app.accounts.search_events(&query).await?;
    Ok(HttpResponse::Ok().json(EventList {
        events: events.into_iter().map(EventRecord::from).collect(),
        next_cursor: next,
        previous_cursor: previous,
        is_partial: more.is_some(),
    }))
}

/// Sends all events that satisfy a filter as a file.
///
/// # Errors
/// As [`export_events`].
pub async fn export(
    app: web::Data<AppState>,
    AuditApiCaller(_): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    export_events(&app.accounts, request.query_string()).await
}
