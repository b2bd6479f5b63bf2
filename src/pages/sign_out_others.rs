//! `/devices/sign-out-others`: names each device before it signs them all out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::sign_out::Nothing;
use super::views::{DeviceView, Reader};
use crate::error::Result;
use crate::http::app::App;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, Place, page, see_other};
use crate::http::target::HOME;
use crate::sessions::by_device;

#[derive(Template)]
#[template(path = "pages/sign_out_others.html")]
struct SignOutOthersPage {
    layout: Layout,
    this: DeviceView,
    others: Vec<DeviceView>,
}

/// Which devices it is about.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let reader = Reader::new(&app, &request, &caller);
    let live = app.sessions.live_of(caller.user.id).await?;
    if live.len() <= 1 {
        return Ok(see_other(HOME));
    }
    let others: Vec<_> = by_device(live)
        .iter()
        .filter(|device| !device.has(caller.session.id))
        .map(|device| DeviceView::new(device.latest(), &reader))
        .collect();
    let template = SignOutOthersPage {
        layout: Layout::of(&request, &caller, Place::Devices)?,
        this: DeviceView::new(&caller.session, &reader),
        others,
    };
    page(StatusCode::OK, &template)
}

/// Signs out every device but this one.
pub async fn submit(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    app.sessions.require_recent_password(&caller)?;
    app.sessions
        .end_others(caller.user.id, caller.session.id, caller.origin())
        .await?;
    Ok(see_other("/devices?done=signed-out-others"))
}
