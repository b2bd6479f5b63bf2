//! `/devices/sign-out-others` and `/devices/sign-out-everywhere`: each lists the devices before they are
//! signed out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::device_views::DeviceView;
use super::views::Reader;
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, EndMoment, EndNotice, Notice};
use crate::http::target::HOME;
use crate::sessions::{Caller, Session};

#[derive(Template)]
#[template(path = "pages/sign_out_others.html")]
struct SignOutOthersPage {
    layout: Layout,
    this: DeviceView,
    others: Vec<DeviceView>,
    /// What is signed out, for the heading and the button: "4 other devices".
    object: String,
    /// What is said of other sessions on this device, if there are any.
    same_device: Option<String>,
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
    let current = &caller.session;
    let here = live.iter().filter(|live| live.is_on_device_of(current));
    let here = here.filter(|live| live.id != current.id).count();
    let others = list_others(live, &caller, &reader);
    if others.is_empty() && here == 0 {
        return Ok(see_other(HOME));
    }
    let template = SignOutOthersPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Devices)?,
        this: DeviceView::new(current, &reader),
        object: object(others.len(), here),
        same_device: (!others.is_empty()).then(|| same_device(here)).flatten(),
        others,
    };
    page(StatusCode::OK, &template)
}

/// Returns the devices other than the one that the caller is on.
fn list_others(live: Vec<Session>, caller: &Caller, reader: &Reader) -> Vec<DeviceView> {
    group_by_device(live)
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| DeviceView::for_device(device, device.first(), caller.session.id, reader))
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
    let ended = app
        .sessions
        .end_other_sessions(caller.user.id, caller.session.id, caller.origin())
        .await?;
    let outcome = EndNotice::Others(ended.first().and_then(EndMoment::of));
    let outcome = Notice::Account(caller.user.id, AccountNotice::Ended(outcome));
    notice::put(&request, outcome);
    Ok(see_other(HOME))
}

/// Names so many other devices, or where there are none, so many other sessions on this device.
fn object(devices: usize, here: usize) -> String {
    match (devices, here) {
        (0, 1) => "the other session on this device".into(),
        (0, n) => format!("{n} other sessions on this device"),
        (1, _) => "the other device".into(),
        (n, _) => format!("{n} other devices"),
    }
}

/// Says that so many other sessions on this device end as well.
fn same_device(here: usize) -> Option<String> {
    match here {
        0 => None,
        1 => Some("Another session on this device ends as well.".into()),
        n => Some(format!("{n} other sessions on this device end as well.")),
    }
}
