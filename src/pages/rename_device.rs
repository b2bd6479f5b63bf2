//! `/devices/{id}/rename`: another name for a device.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;

use super::device::load_page;
use super::shown_name;
use crate::db::SessionId;
use crate::devices::DeviceName;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, Notice};
use crate::sessions::Caller;

/// The form.
#[derive(Deserialize)]
pub struct RenameForm {
    device_name: String,
    /// The name that the form showed.
    shown_name: Option<String>,
}

/// Updates the name of the device. One that was changed since the form showed it is not overwritten.
///
/// # Errors
/// [`Error::NotFound`] when the caller has no such session; [`Error::UnconfirmedDevice`] when it is another
/// device than theirs, which is in doubt.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<SessionId>,
    Form(form): Form<RenameForm>,
) -> Result<HttpResponse> {
    let owner = caller.user.id;
    let name = match form.device_name.parse::<DeviceName>() {
        Ok(name) => name,
        Err(err) => return refuse(&app, &request, &caller, (*id, form), &err).await,
    };
    app.accounts.require_may_rename(&caller, *id).await?;
    if let Some(stale) = refuse_stale(&app, &request, &caller, (*id, &form)).await? {
        return Ok(stale);
    }
    app.sessions
        .update_device_name(owner, *id, name, caller.origin())
        .await?;
    let renamed = Notice::Account(owner, AccountNotice::DeviceRenamed);
    notice::put(&request, renamed);
    Ok(see_other(format!("/devices/{id}")))
}

/// Returns the page with what is wrong with the name.
async fn refuse(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (id, form): (SessionId, RenameForm),
    err: &Error,
) -> Result<HttpResponse> {
    let session = app.sessions.get(caller.user.id, id).await?;
    let page = load_page(app, request, caller, session, None).await?;
    let errors = err.field_errors();
    let error = errors.first().map(|error| error.message.clone());
    let typed = (err.status_code(), form.device_name, form.shown_name);
    page.respond_unnamed(request, typed, (None, error))
}

/// Returns the page again where the name was changed since the form showed it.
async fn refuse_stale(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (id, form): (SessionId, &RenameForm),
) -> Result<Option<HttpResponse>> {
    if form.shown_name.is_none() {
        return Ok(None);
    }
    let session = app.sessions.get(caller.user.id, id).await?;
    let page = load_page(app, request, caller, session, None).await?;
    let shown = form.shown_name.as_deref();
    let words = shown_name::conflict(shown, page.name(), &form.device_name);
    let typed = (StatusCode::CONFLICT, form.device_name.clone(), None);
    words
        .map(|words| page.respond_unnamed(request, typed, (Some(words), None)))
        .transpose()
}
