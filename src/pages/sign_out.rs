//! `/sign-out` and `/devices/sign-out-everywhere`: sign out this device, or every device.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::{AnyPageCaller, PageCaller};
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::signed_out_response;
use crate::http::notice::SignedOutNotice;
use crate::sessions::EndedReason;

/// Ends the caller's session. A cookie that was just replaced can do that, too: it harms nobody,
/// and who signs out is never asked for a password.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AnyPageCaller(caller): AnyPageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let origin = caller.origin();
    app.sessions
        .end_session(
            caller.user.id,
            caller.session.id,
            EndedReason::SignedOut,
            origin,
        )
        .await?;
    browser::clear_session(&request)?;
    Ok(signed_out_response(&request, SignedOutNotice::SignedOut))
}

/// Ends every session of the caller, this one included.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago.
pub async fn submit_everywhere(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let origin = caller.origin();
    app.accounts
        .sign_out_everywhere(caller.user.id, EndedReason::SignedOutRemotely, origin)
        .await?;
    browser::clear_session(&request)?;
    Ok(signed_out_response(
        &request,
        SignedOutNotice::SignedOutEverywhere,
    ))
}
