//! `/account/email`: the change of the e-mail that a person signs in with. It takes effect once the
//! new one is verified.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;

use super::account::{AccountPage, message, to_account};
use crate::account::{ChangeRequested, Resent};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::failed_page::throttled_page;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::page;
use crate::http::notice::AccountNotice;
use crate::http::requester::requester;
use crate::people::Email;
use crate::sessions::Caller;
use crate::throttles::{Lane, Purpose};

/// The form of `POST /account/email`.
#[derive(Deserialize)]
pub struct ChangeEmailForm {
    email: String,
}

/// Sends a link to the new address.
///
/// # Errors
/// [`Error::StepUpRequired`] when the password was given too long ago; [`Error::NotFound`] where no
/// mail is sent; [`Error::UnconfirmedDevice`] when the caller's device is in doubt.
pub async fn request_change(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChangeEmailForm>,
) -> Result<HttpResponse> {
    let requested = match form.email.parse() {
        Ok(email) => {
            app.accounts.require_confirmed(&caller).await?;
            app.sessions.require_step_up(&caller)?;
            request_link(&app, &request, &caller, email).await
        }
        // Before the password is requested for it.
        Err(err) => Err(err),
    };
    let err = match requested {
        Ok(ChangeRequested::LinkSent) => {
            return Ok(to_account(&request, &caller, AccountNotice::EmailLinkSent));
        }
        Ok(ChangeRequested::Unchanged) => {
            return Ok(to_account(&request, &caller, AccountNotice::EmailUnchanged));
        }
        Ok(ChangeRequested::TooMany) => Error::field(
            "email",
            "was sent several links already; try again in an hour",
        ),
        Err(err @ (Error::EmailTaken | Error::Invalid(_))) => err,
        Err(err) => {
            let again = async || {
                let mut template = AccountPage::new(&app, &request, &caller).await?;
                template.email_typed = form.email;
                page(StatusCode::OK, &template)
            };
            return throttled_page(&request, err, again).await;
        }
    };
    let mut template = AccountPage::new(&app, &request, &caller).await?;
    template.email_typed = form.email;
    refused(&request, template, &err)
}

/// Returns the page with the reason why no link was sent.
fn refused(request: &HttpRequest, mut template: AccountPage, err: &Error) -> Result<HttpResponse> {
    template.email_error = match err {
        Error::EmailTaken => Some("already belongs to an account".into()),
        err => message(err),
    };
    template.respond_failed(request, err.status_code())
}

async fn request_link(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    email: Email,
) -> Result<ChangeRequested> {
    count_link(app, request, caller).await?;
    app.accounts.request_email_change(caller, email).await
}

/// Counts a link that is sent for the caller.
async fn count_link(app: &AppState, request: &HttpRequest, caller: &Caller) -> Result<()> {
    let lane = Lane::Verification(caller.user.id);
    let requester = requester(request, Some(caller))?;
    app.throttles
        .count(Purpose::VerificationLink, &requester, lane)
        .await
}

/// Cancels the pending change.
///
/// # Errors
/// [`Error::UnconfirmedDevice`] when the caller's device is in doubt.
pub async fn cancel_change(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    app.accounts.require_confirmed(&caller).await?;
    let outcome = match app
        .accounts
        .cancel_email_change(caller.user.id, caller.origin())
        .await?
    {
        0 => AccountNotice::NoEmailChange,
        _ => AccountNotice::EmailChangeCancelled,
    };
    Ok(to_account(&request, &caller, outcome))
}

/// Sends the link again: of the pending change, or for the account's own e-mail.
///
/// # Errors
/// [`Error::NotFound`] where no mail is sent.
pub async fn resend_link(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    if let Err(err) = count_link(&app, &request, &caller).await {
        let again = async || {
            let template = AccountPage::new(&app, &request, &caller).await?;
            page(StatusCode::OK, &template)
        };
        return throttled_page(&request, err, again).await;
    }
    let outcome = match app
        .accounts
        .resend_verification(caller.user.id, caller.origin())
        .await?
    {
        Resent::Sent => AccountNotice::EmailLinkSent,
        Resent::Needless => AccountNotice::EmailVerified,
        Resent::Declined => AccountNotice::EmailDeclined,
        Resent::TooMany => AccountNotice::EmailLinkLimit,
    };
    Ok(to_account(&request, &caller, outcome))
}
