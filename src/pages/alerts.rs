//! `/alerts/{id}`: "Was this you?", answered on another device of the same person. One that is answered
//! already, or not the caller's to answer, is no error: the page says so.

use actix_web::{HttpResponse, web};

use super::sign_out::Nothing;
use crate::db::AlertId;
use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;

/// "Yes, it was me."
pub async fn yes(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    let done = match app.sessions.own_up(&caller, *id).await {
        Ok(alert) if alert.kind.is_sign_in() => "mine",
        Ok(_) => "known",
        Err(Error::NotFound) => "answered",
        Err(fault) => return Err(fault),
    };
    Ok(see_other(format!("/devices?done={done}")))
}

/// "No, sign it out": at once, and the page offers what else can be done.
pub async fn no(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    let ended = match app.sessions.disown(&caller, *id).await {
        Ok(ended) => ended,
        Err(Error::NotFound) => return Ok(see_other("/devices?done=answered")),
        Err(fault) => return Err(fault),
    };
    let which = ended
        .first()
        .map(|session| format!("&device={}", session.id));
    let which = which.unwrap_or_default();
    Ok(see_other(format!("/devices?done=not-mine{which}")))
}
