//! `/admin`: how the service is doing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::node_views::{JobView, NodeView, job_views};
use super::overview_banner::{OddityView, oddity};
use super::overview_views::{BreakdownView, FigureView, PeriodView, breakdowns, figures};
use super::refusal_views::RefusalsView;
use super::sessions::{Chip, presets};
use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::reader_clock::ReaderClock;
use crate::overview::RefusalFigures;
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/admin/overview.html")]
struct OverviewPage {
    layout: Layout,
    oddities: Vec<OddityView>,
    is_behind: bool,
    figures: Vec<FigureView>,
    /// Lists that are often of use.
    presets: Vec<Chip>,
    periods: Vec<PeriodView>,
    refusals: RefusalsView,
    breakdowns: Vec<BreakdownView>,
    jobs: Vec<JobView>,
    nodes: Vec<NodeView>,
}

/// Shows the overview.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let clock = ReaderClock::of_caller(&request, &caller)?;
    let overview = app.overview.read(clock.zone).await?;
    let clock = clock.at(overview.at);
    let refusals = refusals(&app, &caller, &overview.refusals, clock).await?;
    let template = OverviewPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        oddities: overview
            .oddities
            .iter()
            .map(|it| oddity(it, clock))
            .collect(),
        is_behind: overview.is_behind,
        figures: figures(&overview, clock),
        presets: presets(clock),
        periods: PeriodView::all(&overview, clock),
        refusals,
        breakdowns: breakdowns(&overview),
        jobs: job_views(&overview.nodes, clock),
        nodes: overview
            .nodes
            .iter()
            .map(|node| NodeView::new(node, clock))
            .collect(),
    };
    page(StatusCode::OK, &template)
}

/// Returns the view of what was refused, with the accounts whose next try may have to wait.
pub(super) async fn refusals(
    app: &AppState,
    caller: &Caller,
    figures: &RefusalFigures,
    clock: ReaderClock,
) -> Result<RefusalsView> {
    let throttled = figures.accounts.iter().map(|account| account.id);
    let delayed = app.throttles.list_delayed(throttled.collect()).await?;
    Ok(RefusalsView::new(
        figures,
        &delayed,
        caller.user.role(),
        clock.at(figures.at),
    ))
}

/// Redirects an address with a slash at its end.
pub async fn redirect(AuditCaller(_): AuditCaller) -> HttpResponse {
    see_other("/admin")
}
