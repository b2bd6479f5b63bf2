//! `/confirm`: step-up. Once the password is given again, the interrupted request continues.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::account::OwnPassword;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::bound_session;
use crate::http::browser;
use crate::http::caller::{AnyPageCaller, PageCaller};
use crate::http::failed_form;
use crate::http::failed_page::throttled_page;
use crate::http::forms::Form;
use crate::http::layout::{page, see_other, signed_out_response};
use crate::http::notice::SignedOutNotice;
use crate::http::page_query::PageQuery;
use crate::http::requester::requester;
use crate::http::step_up::{ConfirmPage, Interrupted};
use crate::http::target::{is_local, local_path};
use crate::people::PlainPassword;
use crate::sessions::PasswordGiven;
use crate::throttles::Purpose;

/// The query of `GET /confirm`.
#[derive(Default, Deserialize)]
pub struct ConfirmQuery {
    next: Option<String>,
    /// Where to go once there is no act to confirm.
    leave: Option<String>,
}

/// The form of `POST /confirm`.
#[derive(Deserialize)]
pub struct ConfirmForm {
    password: String,
    /// The path that the interrupted request is posted to.
    #[serde(rename = "act")]
    action: Option<String>,
    next: Option<String>,
}

/// Shows the form. An act that was interrupted is shown until it is confirmed.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    PageQuery(query): PageQuery<ConfirmQuery>,
) -> Result<HttpResponse> {
    let interrupted = match (Interrupted::stored(&request), &query.leave) {
        (Some(stored), _) => stored,
        (None, Some(leave)) if failed_form::is_named(&request) => {
            return Ok(see_other(local_path(Some(leave))));
        }
        (None, _) => {
            let next = local_path(query.next.as_deref());
            Interrupted::page(&request, next.to_owned())
        }
    };
    let template = ConfirmPage::new(&app, &request, &caller, interrupted).await?;
    page(StatusCode::OK, &template)
}

/// Verifies the password and continues with the interrupted request: a 307 makes the browser post
/// it again with all its fields (RFC 9110, 15.4.8). The password counts whatever the cookie is.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AnyPageCaller(caller): AnyPageCaller,
    Form(form): Form<ConfirmForm>,
) -> Result<HttpResponse> {
    let next = local_path(form.next.as_deref());
    let action = form.action.filter(|action| is_local(action));
    let interrupted = match action.clone() {
        Some(action) => Interrupted::form(&request, action),
        None => Interrupted::page(&request, next.to_owned()),
    };
    let password = PlainPassword::claimed(form.password);
    let requester = requester(&request, Some(&caller))?;
    match app
        .accounts
        .verify_own_password(
            &app.people,
            &caller,
            (Purpose::StepUp, &requester),
            password,
        )
        .await
    {
        Ok(OwnPassword::Right) => {
            let session = app.sessions.record_step_up(&caller).await?;
            browser::set_session(&request, &session, &caller.user)?;
            bound_session::offer(&request, &session, PasswordGiven::Again)?;
            Ok(match action {
                Some(action) => HttpResponse::TemporaryRedirect()
                    .insert_header((LOCATION, action))
                    .finish(),
                None => see_other(next),
            })
        }
        Ok(OwnPassword::Wrong) => {
            let template = ConfirmPage::new(&app, &request, &caller, interrupted).await?;
            let template = template.with_error("That is not your password. Try again.");
            template.respond_failed(&request)
        }
        Ok(OwnPassword::SessionEnded) => session_ended(&request),
        Err(err) => {
            let again = async || {
                let template = ConfirmPage::new(&app, &request, &caller, interrupted).await?;
                page(StatusCode::OK, &template)
            };
            throttled_page(&request, err, again).await
        }
    }
}

/// Returns the response where the session was ended after too many wrong passwords.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when the server was assembled without its state.
pub(super) fn session_ended(request: &HttpRequest) -> Result<HttpResponse> {
    browser::clear_session(request)?;
    Ok(signed_out_response(
        request,
        SignedOutNotice::WrongPasswords,
    ))
}
