//! `/api/v1/sessions`: the caller's own sessions. Those of other people are not found.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::views::{DeviceJson, EndedCount, SessionJson};
use crate::account::Doubts;
use crate::db::SessionId;
use crate::devices::group_by_device;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::ApiCaller;
use crate::http::json::Json;
use crate::sessions::{EndedReason, HistoryCursor};

/// The number of ended sessions on a page where the request has no `limit`.
const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

#[derive(Serialize)]
struct ActiveSessions {
    total: usize,
    sessions: Vec<SessionJson>,
    /// The same sessions, grouped by device.
    devices: Vec<DeviceJson>,
}

#[derive(Serialize)]
struct EndedSessions {
    sessions: Vec<SessionJson>,
    next_cursor: Option<String>,
}

/// `GET /api/v1/sessions/history`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `PATCH /api/v1/sessions/{id}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameRequest {
    device_name: String,
}

/// Lists the caller's live sessions, newest use first, and their devices.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn list(app: web::Data<AppState>, ApiCaller(caller): ApiCaller) -> Result<HttpResponse> {
    let current = caller.session.id;
    let live = app.sessions.list_live(caller.user.id).await?;
    let devices = group_by_device(live.clone());
    let doubts = match live.iter().any(|session| session.device_id.is_some()) {
        true => {
            let here = Some(current);
            app.accounts.find_doubts(caller.user.id, here).await?
        }
        false => Doubts::default(),
    };
    let sessions: Vec<_> = live
        .into_iter()
        .map(|session| SessionJson::new(app.sessions.as_bound(session), current))
        .collect();
    Ok(HttpResponse::Ok().json(ActiveSessions {
        total: sessions.len(),
        sessions,
        devices: devices
            .iter()
            .map(|device| DeviceJson::new(device, current, &doubts))
            .collect(),
    }))
}

/// Returns the caller's session. This is the hot path: one query.
pub async fn current(app: web::Data<AppState>, ApiCaller(caller): ApiCaller) -> HttpResponse {
    let id = caller.session.id;
    let session = app.sessions.as_bound(caller.session);
    HttpResponse::Ok().json(SessionJson::new(session, id))
}

/// Lists a page of the caller's ended sessions, with the reason and the time of each end.
///
/// # Errors
/// [`Error::Invalid`] when the limit is not from 1 to `MAX_PAGE`, or the cursor is not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn history(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
    web::Query(query): web::Query<HistoryQuery>,
) -> Result<HttpResponse> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::field(
            "limit",
            format!("must be from 1 to {MAX_PAGE}"),
        ));
    }
    let after: Option<HistoryCursor> = query.cursor.as_deref().map(str::parse).transpose()?;
    let page = app
        .sessions
        .list_ended(caller.user.id, after, limit)
        .await?;
    let current = caller.session.id;
    let mut stated = app
        .sessions
        .list_stated_reasons(caller.user.id, &page.sessions)
        .await?;
    Ok(HttpResponse::Ok().json(EndedSessions {
        sessions: page
            .sessions
            .into_iter()
            .map(|session| {
                let ended_note = stated.remove(&session.id);
                SessionJson::new(app.sessions.as_bound(session), current).with_note(ended_note)
            })
            .collect(),
        next_cursor: page.next.map(HistoryCursor::encode),
    }))
}

/// Names the device of one of the caller's sessions.
///
/// # Errors
/// [`Error::Invalid`] when the name is not valid; [`Error::NotFound`] when the caller has no such
/// session; [`Error::UnconfirmedDevice`] when it is another device than the caller's, which is in doubt;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn rename(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
    id: web::Path<SessionId>,
    Json(body): Json<RenameRequest>,
) -> Result<HttpResponse> {
    let name = body.device_name.parse()?;
    app.accounts.require_may_rename(&caller, *id).await?;
    let session = app
        .sessions
        .update_device_name(caller.user.id, *id, name, caller.origin())
        .await?;
    let session = app.sessions.as_bound(session);
    Ok(HttpResponse::Ok().json(SessionJson::new(session, caller.session.id)))
}

/// Ends one of the caller's sessions: 204, also when it had ended before. Any but the current one
/// needs step-up.
///
/// # Errors
/// [`Error::StepUpRequired`]; [`Error::NotFound`] when the caller has no such session;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
    id: web::Path<SessionId>,
) -> Result<HttpResponse> {
    let reason = if *id == caller.session.id {
        EndedReason::SignedOut
    } else {
        app.sessions.require_step_up(&caller)?;
        EndedReason::SignedOutRemotely
    };
    app.sessions
        .end_session(caller.user.id, *id, reason, caller.origin())
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all of the caller's sessions except the current one.
///
/// # Errors
/// [`Error::StepUpRequired`]; [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_others(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let ended = app
        .sessions
        .end_other_sessions(caller.user.id, caller.session.id, caller.origin())
        .await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended: ended.len() }))
}

/// Marks the caller's sessions past their time as expired.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn end_expired(
    app: web::Data<AppState>,
    ApiCaller(caller): ApiCaller,
) -> Result<HttpResponse> {
    let ended = app.sessions.expire_own(caller.user.id).await?;
    Ok(HttpResponse::Ok().json(EndedCount { ended }))
}
