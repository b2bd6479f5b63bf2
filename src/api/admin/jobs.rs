//! `/api/v1/admin/jobs`: orders to end many sessions, and how far they have come.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::db::JobId;
use crate::error::Result;
use crate::http::admin_caller::{AdminApiCaller, AuditApiCaller};
use crate::http::app_state::AppState;
use crate::http::json::OptionalJson;
use crate::listing::{ListEnds, ListKey, PageParts, QueryPairs, refuse_parts};
use crate::sessions::bulk::JobRecord;

/// `POST /api/v1/admin/jobs/{id}/stop`, which may have a body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// What the page of the job shows.
    reason: Option<String>,
}

#[derive(Serialize)]
struct JobList {
    jobs: Vec<JobRecord>,
    #[serde(flatten)]
    ends: ListEnds,
}

/// Lists a page of jobs, newest first.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) with every part of the query that is unknown or not
/// valid; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    request: HttpRequest,
    _: AuditApiCaller,
) -> Result<HttpResponse> {
    let pairs = QueryPairs::of(request.query_string());
    let parts = PageParts::read(pairs.iter(), &[], |_, _| Ok(()))?;
    let key = ListKey::new("jobs", &[]);
    let (start, limit) = (parts.start(&key)?, parts.limit.get());
    let page = app.sessions.list_bulk_jobs(start, limit).await?;
    let ends = page.ends(&key, app.sessions.count_bulk_jobs().await?);
    let jobs: Result<Vec<JobRecord>> = page.items.into_iter().map(JobRecord::new).collect();
    Ok(HttpResponse::Ok().json(JobList { jobs: jobs?, ends }))
}

/// Shows one job.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such job.
pub async fn show(
    app: web::Data<AppState>,
    _: AuditApiCaller,
    request: HttpRequest,
    id: web::Path<JobId>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let job = app.sessions.get_bulk_job(*id).await?;
    Ok(HttpResponse::Ok().json(JobRecord::new(job)?))
}

/// Stops a job, and shows it as it is then; also one that was over before. An application stops what it
/// ordered itself.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such job, or an application did not order
/// it; [`Error::Invalid`](crate::Error::Invalid) when the reason is not valid.
pub async fn stop(
    app: web::Data<AppState>,
    AdminApiCaller(admin): AdminApiCaller,
    request: HttpRequest,
    id: web::Path<JobId>,
    body: Result<OptionalJson<StopRequest>>,
) -> Result<HttpResponse> {
    refuse_parts(request.query_string())?;
    let OptionalJson(body) = body?;
    let origin = match body.and_then(|body| body.reason) {
        Some(reason) => admin.origin().with_reason(reason.parse()?),
        None => admin.origin(),
    };
    let job = app.sessions.stop_bulk_job(*id, origin).await?;
    Ok(HttpResponse::Ok().json(JobRecord::new(job)?))
}
