//! `/api/v1/admin/jobs`: orders to end many sessions, and how far they have come.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::db::{ApplicationId, JobId, UserId};
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminApiCaller, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::error_response::bad_query;
use crate::sessions::bulk::{BulkJob, BulkState, Selection, StopCause};

/// The number of jobs on a page where the request has no `limit`.
const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// A job in JSON.
#[derive(Debug, Serialize)]
pub(super) struct JobJson {
    id: JobId,
    state: BulkState,
    /// Why it was stopped, if it was.
    stop_cause: Option<StopCause>,
    reason: Option<String>,
    /// The filter, if it is for the sessions that one finds.
    filter: Option<BTreeMap<&'static str, String>>,
    /// The number of ids, if it is for listed sessions.
    listed: Option<usize>,
    by: ByJson,
    /// Whether the sessions of the person who ordered it are included, if it was one.
    include_own: Option<bool>,
    total: i64,
    total_approximate: bool,
    ended: i64,
    already_over: i64,
    failed: i64,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// Who ordered a job; neither on the command line.
#[derive(Debug, Serialize)]
struct ByJson {
    user_id: Option<UserId>,
    application_id: Option<ApplicationId>,
}

#[derive(Serialize)]
struct JobList {
    jobs: Vec<JobJson>,
    next_cursor: Option<String>,
}

/// `GET /api/v1/admin/jobs`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

impl JobJson {
    pub(super) fn new(job: BulkJob) -> Result<Self> {
        let (filter, listed) = match job.selection()? {
            Selection::Matching(filter) => (Some(filter.to_pairs().into_iter().collect()), None),
            Selection::Listed(ids) => (None, Some(ids.len())),
        };
        Ok(Self {
            id: job.id,
            state: job.state,
            stop_cause: job.stop_cause,
            filter,
            listed,
            by: ByJson {
                user_id: job.by_user_id,
                application_id: job.by_application_id,
            },
            include_own: job.by_user_id.map(|_| job.except_user_id.is_none()),
            total: job.total,
            total_approximate: !job.is_total_exact,
            ended: job.ended,
            already_over: job.already_over,
            failed: job.failed,
            created_at: job.created_at,
            started_at: job.started_at,
            updated_at: job.updated_at,
            finished_at: job.finished_at,
            reason: job.stated_reason,
        })
    }
}

/// Lists a page of jobs, newest first.
///
/// # Errors
/// [`Error::Invalid`] when the limit is not from 1 to `MAX_PAGE`, or the cursor is not valid;
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    request: HttpRequest,
    _: AuditApiCaller,
) -> Result<HttpResponse> {
    let query = web::Query::<JobsQuery>::from_query(request.query_string())
        .map_err(|err| bad_query(&err))?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::field(
            "limit",
            format!("must be from 1 to {MAX_PAGE}"),
        ));
    }
    let before = query.cursor.as_deref().map(decode).transpose()?;
    let page = app.sessions.list_bulk_jobs(before, limit).await?;
    let jobs: Result<Vec<JobJson>> = page.jobs.into_iter().map(JobJson::new).collect();
    Ok(HttpResponse::Ok().json(JobList {
        jobs: jobs?,
        next_cursor: page
            .next_before
            .map(|id| URL_SAFE_NO_PAD.encode(id.as_bytes())),
    }))
}

/// Shows one job.
///
/// # Errors
/// [`Error::NotFound`] when there is no such job.
pub async fn show(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    id: web::Path<JobId>,
) -> Result<HttpResponse> {
    let job = app.sessions.get_bulk_job(*id).await?;
    Ok(HttpResponse::Ok().json(JobJson::new(job)?))
}

/// Stops a job, and shows it as it is then; also one that was over before.
///
/// # Errors
/// [`Error::NotFound`] when there is no such job.
pub async fn stop(
    app: web::Data<AppState>,
    _: AdminApiCaller,
    id: web::Path<JobId>,
) -> Result<HttpResponse> {
    let job = app.sessions.stop_bulk_job(*id).await?;
    Ok(HttpResponse::Ok().json(JobJson::new(job)?))
}

/// Returns the id in a cursor.
fn decode(cursor: &str) -> Result<JobId> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes
        .map(JobId::from_bytes)
        .ok_or_else(|| Error::field("cursor", "is not a valid cursor"))
}
