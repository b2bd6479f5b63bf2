//! `/reset-password/{token}`: the page that the link of a forgotten password or an invitation leads to. A GET
//! changes nothing; its form sets a new password, once.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::message::{Message, message_page};
use super::new_password::{hash_typed, origin, refused_form};
use super::used_link::{UsedPress, used_page};
use crate::account::{OpenReset, ResetPurpose};
use crate::db::ResetId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::device_cookie;
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::forms::PublicForm;
use crate::http::layout::{Layout, signed_out_response};
use crate::http::notice::SignedOutNotice;
use crate::people::NewPassword;

#[derive(Template)]
#[template(path = "pages/reset_password.html")]
struct ResetPasswordPage<'a> {
    layout: Layout,
    token: &'a str,
    email: &'a str,
    /// Whether it is the first password of somebody who is invited.
    is_invitation: bool,
    /// The minimum length of the password, in characters.
    min_chars: usize,
    error: Option<String>,
}

/// The form of `POST /reset-password/{token}`.
#[derive(Deserialize)]
pub struct ResetPasswordForm {
    new_password: String,
}

/// Shows the form.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    match find(&app, &token).await? {
        (_, Some(open)) => form_page(&request, StatusCode::OK, &token, &open, None),
        (id, None) => used_link(&app, &request, id, None).await,
    }
}

/// Sets the new password, once, and ends every session.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine; [`Error::Busy`] when too many passwords wait
/// to be hashed.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    form: PublicForm<ResetPasswordForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(_) => {
            return refused_form(&request, show(app, request.clone(), token)).await;
        }
    };
    let (id, open) = find(&app, &token).await?;
    let Some(open) = open else {
        return used_link(&app, &request, id, Some(UsedPress::Password)).await;
    };
    let hash = match hash_typed(&app, &request, &open.user, form.new_password).await {
        Err(err @ Error::Invalid(_)) => {
            let error = err.field_errors().first();
            let error = error.map(|error| error.message.clone());
            return form_page(&request, err.status_code(), &token, &open, error);
        }
        Err(err) => {
            let again = async || form_page(&request, StatusCode::OK, &token, &open, None);
            return throttled_page(&request, err, again).await;
        }
        Ok(hash) => hash,
    };
    let context = client.alert_context(open.user.ip_retention);
    let origin = origin(&open.user, client);
    match app.accounts.reset_password(id, hash, origin, context).await {
        Ok(_) => {
            device_cookie::remember(&request, &app.people.get(open.user.id).await?)?;
            Ok(signed_out_response(&request, done(open.purpose)))
        }
        // It was used at the same time.
        Err(Error::NotFound) => used_link(&app, &request, id, Some(UsedPress::Password)).await,
        Err(err) => Err(err),
    }
}

/// Returns the notice once the password is set.
fn done(purpose: ResetPurpose) -> SignedOutNotice {
    match purpose {
        ResetPurpose::Forgotten => SignedOutNotice::PasswordSet,
        ResetPurpose::Invitation => SignedOutNotice::FirstPasswordSet,
    }
}

/// Returns the link of a token, and whose password it sets; `None` when it is void.
async fn find(app: &AppState, token: &str) -> Result<(ResetId, Option<OpenReset>)> {
    let id = app.links.reset(token).ok_or(Error::NotFound)?;
    match app.accounts.get_reset(id).await {
        Ok(open) => Ok((id, Some(open))),
        Err(Error::NotFound) => Ok((id, None)),
        Err(err) => Err(err),
    }
}

fn form_page(
    request: &HttpRequest,
    status: StatusCode,
    token: &str,
    open: &OpenReset,
    error: Option<String>,
) -> Result<HttpResponse> {
    let mut layout = Layout::anonymous(request)?;
    layout.add_problem(("new_password", "New password"), error.as_deref());
    let template = ResetPasswordPage {
        error: layout.problem_of("new_password"),
        layout,
        token,
        email: &open.user.email,
        is_invitation: open.purpose == ResetPurpose::Invitation,
        min_chars: NewPassword::MIN_CHARS,
    };
    failed_page(request, status, (&template, &template.layout), None)
}

/// Returns the page of a link that is void: of one that was used, with what it did.
async fn used_link(
    app: &AppState,
    request: &HttpRequest,
    id: ResetId,
    press: Option<UsedPress>,
) -> Result<HttpResponse> {
    match app.accounts.find_used_link(id).await? {
        Some(used) => used_page(request, used, press),
        None => void_link(request),
    }
}

fn void_link(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link no longer works",
        words: vec![
            "It is too old, or the account was changed, disabled or deleted since it was sent.".into(),
            "If you still have the account and need a new password, request another link. If it was an invitation, ask the person who invited you for a new one.".into(),
        ],
        link: Some(("/forgot-password", "Forgotten your password?")),
    };
    message_page(request, StatusCode::GONE, message)
}
