//! `/alerts/{id}`: "Was this you?", answered on another device of the same person. One that is answered
//! already, or not the caller's to answer, is no error: the page says so.

use actix_web::{HttpResponse, web};

use crate::db::AlertId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::see_other;

/// "Yes, it was me."
pub async fn confirm(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let done = match app.accounts.confirm_alert(&caller, *id).await {
        Ok(alert) if alert.kind.is_sign_in() => "mine",
        Ok(_) => "known",
        Err(Error::NotFound) => "answered",
        Err(err) => return Err(err),
    };
    Ok(see_other(format!("/devices?done={done}")))
}

/// "No, sign it out": at once, and the page offers what else can be done.
pub async fn report(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let ended = match app.accounts.report_alert(&caller, *id).await {
        Ok(ended) => ended,
        Err(Error::NotFound) => return Ok(see_other("/devices?done=answered")),
        Err(err) => return Err(err),
    };
    let which = ended
        .first()
        .map(|session| format!("&device={}", session.id));
    let which = which.unwrap_or_default();
    Ok(see_other(format!("/devices?done=not-mine{which}")))
}
