//! `/sign-out`: this device, or every one.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::error::Result;
use crate::http::app::App;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::signed_out;
use crate::sessions::EndedReason;

/// A form with a button and nothing else.
#[derive(Deserialize)]
pub struct Nothing {}

/// Signs this device out.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    let origin = caller.origin();
    app.sessions
        .end(
            caller.user.id,
            caller.session.id,
            EndedReason::SignedOut,
            origin,
        )
        .await?;
    browser::forget(&request);
    Ok(signed_out("signed-out"))
}

/// Signs every device out, this one too.
pub async fn submit_everywhere(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    app.sessions.require_recent_password(&caller)?;
    let origin = caller.origin();
    app.sessions
        .end_all(caller.user.id, EndedReason::SignedOutRemotely, origin)
        .await?;
    browser::forget(&request);
    Ok(signed_out("signed-out-everywhere"))
}
