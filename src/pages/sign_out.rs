//! `/sign-out` and `/devices/sign-out-everywhere`: sign out this device, or every device;
//! `/sign-out/clear`: clear what the browser stored.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::message::{Message, message_page};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::{AnyPageCaller, PageCaller};
use crate::http::forms::{EmptyForm, Form, PublicForm};
use crate::http::layout::{clear_site_data, signed_out_response};
use crate::http::notice::SignedOutNotice;
use crate::sessions::{Caller, EndedReason, Session};

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
    let outcome = outcome(&app, &caller).await?;
    Ok(signed_out_response(&request, outcome))
}

/// Returns the notice to a caller whose session was just ended: whether others on their device are
/// still live.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) async fn outcome(app: &AppState, caller: &Caller) -> Result<SignedOutNotice> {
    if caller.session.device_id.is_none() {
        return Ok(SignedOutNotice::SignedOut);
    }
    let live = app.sessions.list_live(caller.user.id).await?;
    let on_device = |live: &&Session| live.is_on_device_of(&caller.session);
    Ok(match live.iter().filter(on_device).count() {
        0 => SignedOutNotice::SignedOut,
        n => SignedOutNotice::SignedOutHere(u32::try_from(n).unwrap_or(u32::MAX)),
    })
}

/// Ends every session of the caller, this one included.
///
/// # Errors
/// [`Error::StepUpRequired`] when the password was given too long ago.
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

/// Has the browser clear what it stored of this site, on a device that others use. Its cookies
/// stay: the session's is gone since the sign-out, and the device's says nothing of a person.
///
/// # Errors
/// [`Error::CsrfMismatch`] when the form may be forged.
pub async fn clear_stored(
    request: HttpRequest,
    form: PublicForm<EmptyForm>,
) -> Result<HttpResponse> {
    let PublicForm::Accepted(_) = form else {
        return Err(Error::CsrfMismatch);
    };
    let message = Message {
        title: "Your browser is deleting it",
        words: vec![
            "We asked your browser to delete its copies of this site’s pages and what they stored."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    let mut response = message_page(&request, StatusCode::OK, message)?;
    clear_site_data(&mut response);
    Ok(response)
}
