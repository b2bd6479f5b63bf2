//! `/api/v1/admin/sessions`: searching the sessions of all people.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::try_join;
use serde::Serialize;
use url::form_urlencoded;

use crate::api::views::SessionJson;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::error::{Error, Result};
use crate::http::admin_caller::{ApiAdmin, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::session_export::export_sessions;
use crate::people::User;
use crate::sessions::search::{FoundSession, MatchCount, SearchCursor, SearchQuery};

#[derive(Serialize)]
struct FoundSessions {
    sessions: Vec<FoundSessionJson>,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    /// Whether searching took too long: the cursors go on where it stopped.
    is_partial: bool,
    total: Total,
}

/// A session of anybody, with its owner.
#[derive(Serialize)]
struct FoundSessionJson {
    #[serde(flatten)]
    session: SessionJson,
    state: &'static str,
    opened_via: &'static str,
    country_changed: bool,
    impossible_travel: bool,
    owner: OwnerJson,
}

#[derive(Serialize)]
struct OwnerJson {
    id: UserId,
    email: Option<String>,
    full_name: Option<String>,
    subject: Option<String>,
    application_id: Option<ApplicationId>,
}

#[derive(Serialize)]
struct Total {
    count: u64,
    approximate: bool,
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
    let pairs: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes()).collect();
    let query = SearchQuery::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let (filter, sort) = (query.filter.clone(), query.sort);
    let total = app.sessions.count_matching(&filter);
    let (page, total) = try_join(app.sessions.search(query), total).await?;
    let total = page.total(total);
    let now = app.clock.now();
    let encode = |cursor: SearchCursor| cursor.encode(&filter, sort);
    let found = page.found.into_iter();
    Ok(HttpResponse::Ok().json(FoundSessions {
        sessions: found
            .map(|found| FoundSessionJson::new(found, &caller, now))
            .collect(),
        next_cursor: page.next.map(encode),
        previous_cursor: page.previous.map(encode),
        is_partial: page.is_partial,
        total: Total::from(total),
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
    id: web::Path<SessionId>,
) -> Result<HttpResponse> {
    let found = app.sessions.find_any(*id).await?;
    let found = found.ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().json(FoundSessionJson::new(found, &caller, app.clock.now())))
}

/// Sends all sessions that satisfy a filter as a file.
///
/// # Errors
/// As [`export_sessions`].
pub async fn export(
    app: web::Data<AppState>,
    AuditApiCaller(_): AuditApiCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    export_sessions(&app.sessions, &app.clock, request.query_string()).await
}

impl FoundSessionJson {
    fn new(found: FoundSession, caller: &ApiAdmin, now: Timestamp) -> Self {
        let state = found.state(now);
        let shown_ip = found.shown_ip();
        let FoundSession { mut session, owner } = found;
        session.ip_address = shown_ip;
        // It is the value of a cookie, by which the browser is known.
        session.device_id = None;
        Self {
            state,
            opened_via: session.opened_via.as_str(),
            country_changed: session.has_changed_country,
            impossible_travel: session.has_impossible_travel,
            owner: OwnerJson::from(owner),
            session: match caller.person() {
                Some(caller) => SessionJson::new(session, caller.session.id),
                None => SessionJson::from_outside(session),
            },
        }
    }
}

impl From<User> for OwnerJson {
    fn from(owner: User) -> Self {
        Self {
            id: owner.id,
            email: owner.known_email().map(str::to_owned),
            full_name: owner.full_name,
            subject: owner.external_subject,
            application_id: owner.application_id,
        }
    }
}

impl From<MatchCount> for Total {
    fn from(total: MatchCount) -> Self {
        Self {
            count: total.number(),
            approximate: total.is_approximate(),
        }
    }
}
