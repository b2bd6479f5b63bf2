//! `/api/v1/admin/sessions`: searching the sessions of all people.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::try_join;
use serde::Serialize;

use crate::db::SessionId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{ApiAdmin, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::export_reader::ExportReader;
use crate::http::session_export::export_sessions;
use crate::listing::{ListEnds, QueryPairs, refuse_parts};
use crate::people::Role;
use crate::sessions::SessionApplication;
use crate::sessions::search::{SearchCursor, SearchQuery, SessionRecord};

#[derive(Serialize)]
struct SessionList {
    sessions: Vec<SessionRecord>,
    #[serde(flatten)]
    ends: ListEnds,
}

/// One session with the applications that it reached.
#[derive(Serialize)]
struct SessionWithApplications {
    #[serde(flatten)]
    session: SessionRecord,
    /// The latest use first, at most 50.
    applications: Vec<SessionApplication>,
}

/// Lists a page of the sessions that satisfy a filter.
///
/// # Errors
/// [`Error::Invalid`] with every part of the query that is unknown or not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    AuditApiCaller(caller): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let pairs = QueryPairs::of(request.query_string());
    let query = SearchQuery::parse(pairs.iter())?;
    let (filter, sort) = (query.filter.clone(), query.sort);
    let total = app.sessions.count_matching(&filter);
    let (page, total) = try_join(app.sessions.search(query), total).await?;
    let total = page.total(total);
    let (now, current) = (app.clock.now(), current(&caller));
    let encode = |cursor: SearchCursor| cursor.encode(&filter, sort);
    let found = page.found.into_iter();
    Ok(HttpResponse::Ok().json(SessionList {
        sessions: found
            .map(|found| SessionRecord::new(found, current, now))
            .collect(),
        ends: ListEnds {
            next_cursor: page.next.map(encode),
            previous_cursor: page.previous.map(encode),
            is_partial: page.is_partial,
            total,
        },
    }))
}

/// Returns one session, live or ended.
///
/// # Errors
/// [`Error::NotFound`] when there is no such session; [`Error::Unavailable`] when the database
/// doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    AuditApiCaller(caller): AuditApiCaller,
    request: HttpRequest,
    id: web::Path<SessionId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let found = app.sessions.find_any(*id).await?.ok_or(Error::NotFound)?;
    let (owner, ids) = (found.owner.id, vec![found.session.id]);
    let applications = app.sessions.list_applications(owner, ids).await?;
    Ok(HttpResponse::Ok().json(SessionWithApplications {
        session: SessionRecord::new(found, current(&caller), app.clock.now()),
        applications,
    }))
}

/// Sends all sessions that satisfy a filter as a file.
///
/// # Errors
/// As [`export_sessions`].
pub async fn export(
    app: web::Data<AppState>,
    AuditApiCaller(caller): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Auditor);
    export_sessions(reader, &app.sessions, &app.clock, request.query_string()).await
}

/// Returns the session that the request is from, if it is a person's.
fn current(caller: &ApiAdmin) -> Option<SessionId> {
    caller.person().map(|caller| caller.session.id)
}
