//! `/alerts/{id}`: "Was this you?", answered on another device of the same person.

use actix_web::{HttpResponse, web};

use super::sign_out::Nothing;
use crate::db::AlertId;
use crate::error::Result;
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
    let alert = app.sessions.own_up(&caller, *id).await?;
    let done = match alert.kind.is_sign_in() {
        true => "mine",
        false => "known",
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
    app.sessions.disown(&caller, *id).await?;
    Ok(see_other("/devices?done=not-mine"))
}
