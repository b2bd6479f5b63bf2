//! `/devices/sign-out-others` and `/devices/sign-out-everywhere`: each lists the devices before they are
//! signed out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::views::{DeviceView, Reader};
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::target::HOME;
use crate::sessions::{Caller, Session};

#[derive(Template)]
#[template(path = "pages/sign_out_others.html")]
struct SignOutOthersPage {
    layout: Layout,
    this: DeviceView,
    others: Vec<DeviceView>,
}

#[derive(Template)]
#[template(path = "pages/sign_out_everywhere.html")]
struct SignOutEverywherePage {
    layout: Layout,
    this: DeviceView,
    others: Vec<DeviceView>,
}

/// Shows every device, this one as well.
pub async fn show_everywhere(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let reader = Reader::new(&app, &request, &caller)?;
    let live = app.sessions.list_live(caller.user.id).await?;
    let template = SignOutEverywherePage {
        layout: Layout::for_caller(&request, &caller, NavItem::Account)?,
        this: DeviceView::new(&caller.session, &reader),
        others: list_others(live, &caller, &reader),
    };
    page(StatusCode::OK, &template)
}

/// Shows the devices that would be signed out.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let reader = Reader::new(&app, &request, &caller)?;
    let live = app.sessions.list_live(caller.user.id).await?;
    if live.len() <= 1 {
        return Ok(see_other(HOME));
    }
    let others = list_others(live, &caller, &reader);
    let template = SignOutOthersPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Devices)?,
        this: DeviceView::new(&caller.session, &reader),
        others,
    };
    page(StatusCode::OK, &template)
}

/// Returns the devices other than the one that the caller is on.
fn list_others(live: Vec<Session>, caller: &Caller, reader: &Reader) -> Vec<DeviceView> {
    group_by_device(live)
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| DeviceView::new(device.first(), reader))
        .collect()
}

/// Ends every session of the caller except this one.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    app.sessions
        .end_other_sessions(caller.user.id, caller.session.id, caller.origin())
        .await?;
    let outcome = Notice::Account(caller.user.id, AccountNotice::OthersSignedOut);
    notice::put(&request, outcome);
    Ok(see_other(HOME))
}
