//! `/admin/jobs/{id}`: one order to end many sessions. While it runs, the page refreshes itself.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::back::{Back, List};
use super::job_views::{JobNames, JobView};
use crate::db::JobId;
use crate::error::Result;
use crate::http::admin_caller::{AdminForm, AuditCaller};
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::page_query::PageQuery;
use crate::http::reader_clock::ReaderClock;
use crate::pages::notices;
use crate::people::Role;

/// Seconds after which the page of a running job is loaded again, by a header, which unlike an
/// element of the page can be left out for those whom it disturbs.
const REFRESH: &str = "2";

#[derive(Template)]
#[template(path = "pages/admin/job.html")]
struct JobPage {
    layout: Layout,
    notice: Option<String>,
    job: JobView,
    may_stop: bool,
    refreshes: bool,
    /// The list of jobs, or that in which the sessions were chosen.
    back: Back,
    /// The addresses of the page that loads itself again and of the one that doesn't, and of the form
    /// that stops the job.
    links: JobLinks,
}

struct JobLinks {
    refreshing: String,
    still: String,
    stop: String,
}

/// The query of `GET /admin/jobs/{id}`.
#[derive(Default, Deserialize)]
struct JobQuery {
    /// `no` if the page is not to load itself again.
    refresh: Option<String>,
}

/// The form that stops a job.
#[derive(Deserialize)]
pub struct StopForm {
    /// Why, if anything is stated.
    reason: Option<String>,
}

/// Shows the page.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such job.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
    id: web::Path<JobId>,
) -> Result<HttpResponse> {
    let query = PageQuery::<JobQuery>::of(&request);
    let job = app.sessions.get_bulk_job(*id).await?;
    let clock = ReaderClock::of_caller(&request, &caller)?;
    let mut names = JobNames::default();
    let job = JobView::new(&app, &mut names, job, clock).await?;
    let back = Back::of(&request, List::Jobs);
    let path = format!("/admin/jobs/{}", job.id);
    let refreshes = job.is_running && query.refresh.as_deref() != Some("no");
    let template = JobPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        notice: notices::take(&app, &request, Some(&caller)).await?.words,
        may_stop: job.is_running && caller.user.role() >= Role::Admin,
        refreshes,
        links: JobLinks {
            refreshing: back.from(&path),
            still: back.from(format!("{path}?refresh=no")),
            stop: back.from(format!("{path}/stop")),
        },
        back,
        job,
    };
    let mut response = page(StatusCode::OK, &template)?;
    if refreshes {
        response.headers_mut().insert(
            HeaderName::from_static("refresh"),
            HeaderValue::from_static(REFRESH),
        );
    }
    Ok(response)
}

/// Stops the job. One that is over stays as it is; its page says so.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such job.
pub async fn stop(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<StopForm>,
    id: web::Path<JobId>,
) -> Result<HttpResponse> {
    let reason = form.reason.as_deref().map(str::trim).unwrap_or_default();
    let origin = match reason {
        "" => caller.origin(),
        reason => caller.origin().with_reason(reason.parse()?),
    };
    app.sessions.stop_bulk_job(*id, origin).await?;
    let back = Back::of(&request, List::Jobs);
    Ok(see_other(back.from(format!("/admin/jobs/{id}"))))
}
