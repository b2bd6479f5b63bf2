//! `/alerts/{id}`: "Was this you?", confirmed or reported on another device of the same person. An
//! alert that is no longer open, or that the caller may not review, is not an error: the page has a
//! notice.

use actix_web::{HttpResponse, web};

use crate::account::TakenBack;
use crate::db::AlertId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::{see_other, signed_out_response};

/// Confirms an alert: "Yes, it was me."
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

/// Reports an alert: "No, sign it out." Its sessions end at once, and the page then offers further
/// steps. A changed e-mail is changed back, which ends every session.
pub async fn report(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let reported = match app.accounts.report_alert(&caller, *id).await {
        Ok(reported) => reported,
        Err(Error::NotFound) => return Ok(see_other("/devices?done=answered")),
        Err(err) => return Err(err),
    };
    match reported.taken_back {
        Some(TakenBack::Restored { .. }) => return Ok(signed_out_response("taken-back")),
        Some(TakenBack::EmailUnavailable { .. }) => {
            return Ok(signed_out_response("taken-back-without-email"));
        }
        None => {}
    }
    let device = reported
        .ended
        .first()
        .map(|session| format!("&device={}", session.id));
    let device = device.unwrap_or_default();
    Ok(see_other(format!("/devices?done=not-mine{device}")))
}
