//! `/admin/jobs`: orders to end many sessions, newest first.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::job_views::{JobNames, JobView};
use super::pager::Pager;
use crate::db::JobId;
use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::reader_clock::ReaderClock;
use crate::listing::{Place, QueryPairs, read_parts};
use crate::pages::notices;

/// Jobs on one page.
const MAX_JOBS: u32 = 20;

#[derive(Template)]
#[template(path = "pages/admin/jobs.html")]
struct JobsPage {
    layout: Layout,
    notice: Option<String>,
    jobs: Vec<JobView>,
    /// Whether these are not the newest.
    is_later_page: bool,
    pager: Pager,
}

/// Shows the page.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the query is not valid;
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn list(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let mut before = None;
    let pairs = QueryPairs::of(request.query_string());
    read_parts(pairs.iter(), &["before"], |_, id| {
        let id: JobId = id.parse().map_err(|_| "is not an id")?;
        before = Some(id);
        Ok(())
    })?;
    let start = before.map(Place::after);
    let found = app.sessions.list_bulk_jobs(start, MAX_JOBS).await?;
    let clock = ReaderClock::of_caller(&request, &caller)?;
    let mut names = JobNames::default();
    let mut jobs = Vec::new();
    for job in found.items {
        jobs.push(JobView::new(&app, &mut names, job, clock).await?);
    }
    let template = JobsPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        notice: notices::take(&app, &request, Some(&caller)).await?.words,
        jobs,
        is_later_page: before.is_some(),
        pager: Pager::of([
            (before.map(|_| "/admin/jobs".into()), "Newest"),
            (
                found
                    .next
                    .map(|last| format!("/admin/jobs?before={}", last.key)),
                "Older",
            ),
        ]),
    };
    page(StatusCode::OK, &template)
}
