//! `/forgot-password`: asks for a link that sets a new password. The response is the same, and
//! costs the same, whether the address has an account or not.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::message::{Message, message_page};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::compression::compress_page;
use crate::http::failed_form;
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::forms::PublicForm;
use crate::http::layout::{Layout, see_other};
use crate::http::requester::requester;
use crate::people::Email;
use crate::throttles::{Lane, Purpose};

/// What helps whoever may request no link now.
const MAILBOX_HINT: &str = "If somebody requested a link for this address before, check its mailbox and spam folder: that link may still work.";

#[derive(Template)]
#[template(path = "pages/forgot_password.html")]
struct ForgotPasswordPage<'a> {
    layout: Layout,
    email: &'a str,
    error: Option<String>,
    /// What helps besides the form.
    hint: Option<&'static str>,
}

/// The form of `POST /forgot-password`.
#[derive(Deserialize)]
pub struct ForgotPasswordForm {
    email: String,
}

/// Shows the form; where no mail is sent, whom to ask.
pub async fn show(app: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse> {
    match app.accounts.sends_mail() {
        true => match failed_form::shown(&request) {
            Some(form) => {
                let email = form.value("email").unwrap_or_default();
                let hint = form.is_throttled().then_some(MAILBOX_HINT);
                form_page(&request, StatusCode::OK, email, None, hint)
            }
            None => {
                let page = form_page(&request, StatusCode::OK, "", None, None)?;
                Ok(compress_page(&request, page))
            }
        },
        false => without_mail(&request),
    }
}

/// Requests the link. The message is queued later, by a job, so that neither the response nor its
/// time tells whether the address has an account.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    form: PublicForm<ForgotPasswordForm>,
) -> Result<HttpResponse> {
    if !app.accounts.sends_mail() {
        return without_mail(&request);
    }
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(form) => {
            return form_page(&request, StatusCode::FORBIDDEN, &form.email, None, None);
        }
    };
    let email: Email = match form.email.parse() {
        Ok(email) => email,
        Err(err) => return refused(&request, &form.email, &err),
    };
    let words = format!(
        "If {email} belongs to an account that can sign in, we send a link to it, unless an earlier one still works. The link works for {}.",
        minutes(app.reset_lifetime.as_secs())
    );
    let requester = requester(&request, None)?;
    let lane = Lane::of_forgotten(&requester, app.throttles.digest(email.as_str()));
    let counted = app
        .throttles
        .count(Purpose::ForgottenPassword, &requester, lane);
    if let Err(err) = counted.await {
        let hint = Some(MAILBOX_HINT);
        let again = async || form_page(&request, StatusCode::OK, &form.email, None, hint);
        return throttled_page(&request, err, again).await;
    }
    app.accounts.request_reset(email).await?;
    let message = Message {
        title: "Check your e-mail",
        words: vec![
            words,
            "No e-mail? Check your spam folder. If the account’s e-mail was changed recently, the link goes to the former address."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(&request, StatusCode::OK, message)
}

/// Redirects to the form that changes the password (W3C: A Well-Known URL for Changing Passwords).
pub async fn change_password() -> HttpResponse {
    see_other("/account#password")
}

fn form_page(
    request: &HttpRequest,
    status: StatusCode,
    email: &str,
    error: Option<String>,
    hint: Option<&'static str>,
) -> Result<HttpResponse> {
    let mut layout = Layout::anonymous(request)?;
    layout.add_problem(("email", "E-mail"), error.as_deref());
    let template = ForgotPasswordPage {
        error: layout.problem_of("email"),
        layout,
        email,
        hint,
    };
    failed_page(request, status, (&template, &template.layout), None)
}

fn refused(request: &HttpRequest, email: &str, err: &Error) -> Result<HttpResponse> {
    let error = err.field_errors().first();
    let error = error.map(|error| error.message.clone());
    form_page(request, err.status_code(), email, error, None)
}

fn without_mail(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "Forgotten your password?",
        words: vec![
            "This service sends no e-mail. Ask an administrator for a link to set a new password."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::OK, message)
}

/// Returns a time of at least a minute in words.
fn minutes(seconds: u64) -> String {
    match seconds / 60 {
        1 => "a minute".into(),
        minutes => format!("{minutes} minutes"),
    }
}
