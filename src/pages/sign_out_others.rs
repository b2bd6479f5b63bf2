//! `/devices/sign-out-others` and `/devices/sign-out-everywhere`: each lists the devices before they are
//! signed out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::device_views::DeviceView;
use super::views::Reader;
use crate::clock::Timestamp;
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::ending_words::Ending;
use crate::http::forms::Form;
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
    /// What is signed out, for the heading and the button: "4 other devices", or the name of the only one.
    object: String,
    /// When the page was made, in microseconds since the Unix epoch: what signs in later stays.
    shown: i64,
    /// What is said of other sessions on this device, if there are any.
    same_device: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/sign_out_everywhere.html")]
struct SignOutEverywherePage {
    layout: Layout,
    this: DeviceView,
    others: Vec<DeviceView>,
    /// What is signed out, for the heading and the button: "all 3 devices".
    object: String,
}

/// The form of `POST /devices/sign-out-others`.
#[derive(Deserialize)]
pub struct SignOutOthersForm {
    /// When its page was made.
    shown: Option<i64>,
}

/// Shows every device, this one as well.
pub async fn show_everywhere(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let reader = Reader::new(&app, &request, &caller)?;
    let live = list_live(&app, &caller).await?;
    let template = SignOutEverywherePage {
        layout: Layout::for_caller(&request, &caller, NavItem::Account)?,
        this: DeviceView::new(&caller.session, &reader),
        object: Ending::of_all(live.clone()).object,
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
    // Before the rows are read: none of them is later.
    let shown = app.clock.now();
    let live = list_live(&app, &caller).await?;
    let Some(ending) = Ending::of_others(&live, &caller) else {
        return Ok(see_other(HOME));
    };
    let current = &caller.session;
    let here = live.iter().filter(|live| live.is_on_device_of(current));
    let here = here.filter(|live| live.id != current.id).count();
    let others = list_others(live, &caller, &reader);
    let template = SignOutOthersPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Devices)?,
        this: DeviceView::new(current, &reader),
        object: ending.object,
        shown: shown.timestamp_micros(),
        same_device: (!others.is_empty()).then(|| same_device(here)).flatten(),
        others,
    };
    page(StatusCode::OK, &template)
}

/// Lists the live sessions, first of each device the one that it is called by.
async fn list_live(app: &AppState, caller: &Caller) -> Result<Vec<Session>> {
    let live = app.sessions.list_live(caller.user.id).await?;
    let (owner, here) = (caller.user.id, Some(caller.session.id));
    app.accounts.order_for_names(owner, here, live).await
}

/// Returns the devices other than the one that the caller is on.
fn list_others(live: Vec<Session>, caller: &Caller, reader: &Reader) -> Vec<DeviceView> {
    group_by_device(live)
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| DeviceView::for_device(device, device.first(), caller.session.id, reader))
        .collect()
}

/// Ends the sessions on the devices that the page named, and any other on this one. What signed in after
/// that was shown stays, and is named by the next page.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<SignOutOthersForm>,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let (now, shown) = (app.clock.now(), form.shown.and_then(Timestamp::from_micros));
    let shown = shown.map_or(now, |shown| shown.min(now));
    let ended = app
        .sessions
        .end_others_of_page(caller.user.id, shown, caller.origin())
        .await?;
    let outcome = EndNotice::Others(ended.first().and_then(EndMoment::of));
    let outcome = Notice::Account(caller.user.id, AccountNotice::Ended(outcome));
    notice::put(&request, outcome);
    Ok(see_other(HOME))
}

/// Says that so many other sessions on this device end as well.
fn same_device(here: usize) -> Option<String> {
    match here {
        0 => None,
        1 => Some("Another session on this device ends as well.".into()),
        n => Some(format!("{n} other sessions on this device end as well.")),
    }
}
