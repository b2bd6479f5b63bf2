//! `/admin/events/{id}`: one event.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::event_rows::EventRow;
use crate::db::EventId;
use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::reader_clock::ReaderClock;

#[derive(Template)]
#[template(path = "pages/admin/event.html")]
struct EventPage {
    layout: Layout,
    event: EventRow,
}

/// Shows an event.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such event.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
    id: web::Path<EventId>,
) -> Result<HttpResponse> {
    let logged = app.accounts.get_event(*id).await?;
    let template = EventPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        event: EventRow::new(logged, None, ReaderClock::of_caller(&request, &caller)?),
    };
    page(StatusCode::OK, &template)
}
