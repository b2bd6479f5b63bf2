//! `/verify-email/{token}`: the page that the link to a new e-mail address leads to. A GET changes
//! nothing. The address is verified only for somebody who is signed in to the account or gives its
//! password: otherwise the owner of a mailbox could be made to vouch for a stranger's account.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::message::{Message, message_page};
use super::new_password::refused_form;
use super::used_link::{UsedPress, used_page};
use crate::account::{Declined, PendingEmail, Verified};
use crate::db::VerificationId;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app_state::AppState;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::forms::PublicForm;
use crate::http::layout::{Layout, see_other};
use crate::http::notice::{self, AccountNotice, Notice, SignedOutNotice};
use crate::http::requester::requester;
use crate::people::{PasswordCheck, PlainPassword};
use crate::sessions::{Caller, Client};
use crate::throttles::{Lane, Purpose};

#[derive(Template)]
#[template(path = "pages/verify_email.html")]
struct VerifyEmailPage<'a> {
    layout: Layout,
    token: &'a str,
    email: &'a str,
    /// Whether an account changes to the address, rather than having it since sign-up.
    is_change: bool,
    /// Whether the reader is not signed in to the account, so that the page asks for its password.
    asks_password: bool,
    error: Option<String>,
}

/// The form of `POST /verify-email/{token}`.
#[derive(Deserialize)]
pub struct VerifyEmailForm {
    /// `not-mine` declines; any other value, such as `mine`, verifies.
    answer: String,
    password: Option<String>,
}

/// Shows the address, and the form that verifies or declines it.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    MaybeCaller(caller): MaybeCaller,
) -> Result<HttpResponse> {
    let (id, pending) = find_pending(&app, &token).await?;
    let Some(pending) = pending else {
        return used_link(&app, &request, id, None).await;
    };
    let asks_password = !is_owner(caller.as_ref(), &pending);
    form_page(&request, &token, &pending, asks_password, None)
}

/// Verifies or declines the address, once.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine; [`Error::Busy`] when too many passwords wait
/// to be hashed.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    MaybeCaller(caller): MaybeCaller,
    form: PublicForm<VerifyEmailForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(_) => {
            let page = show(app, request.clone(), token, MaybeCaller(caller));
            return refused_form(&request, page).await;
        }
    };
    let (id, pending) = find_pending(&app, &token).await?;
    let Some(pending) = pending else {
        let press = match form.answer.as_str() {
            "not-mine" => UsedPress::NotMine,
            _ => UsedPress::Verify,
        };
        return used_link(&app, &request, id, Some(press)).await;
    };
    if form.answer == "not-mine" {
        return decline(&app, &request, id).await;
    }
    // A replaced cookie changes nothing: then the password is asked for.
    let owner = caller.filter(|caller| caller.may_write() && is_owner(Some(caller), &pending));
    if owner.is_none() {
        let password = form.password.unwrap_or_default();
        if let Some(again) = refuse_password(&app, &request, (&token, &pending), password).await? {
            return Ok(again);
        }
    }
    verify(&app, &request, (id, &pending), owner.as_ref(), client).await
}

/// Returns the form again where what was typed is not the password of the account.
async fn refuse_password(
    app: &AppState,
    request: &HttpRequest,
    (token, pending): (&str, &PendingEmail),
    password: String,
) -> Result<Option<HttpResponse>> {
    let again = |error| form_page(request, token, pending, true, error);
    if password.is_empty() {
        let error = (StatusCode::BAD_REQUEST, "Enter the password.");
        return again(Some(error)).map(Some);
    }
    let password = PlainPassword::claimed(password);
    let requester = requester(request, None)?;
    let lane = Lane::of_password(&requester, pending.user.as_known());
    let attempt = (Purpose::Verification, &requester, lane);
    let checked = app.people.verify_password(attempt, &pending.user, password);
    match checked.await {
        Ok(PasswordCheck::Right) => Ok(None),
        Ok(PasswordCheck::Wrong { .. }) => {
            let error = "That is not the account’s password. Try again.";
            again(Some((StatusCode::FORBIDDEN, error))).map(Some)
        }
        Err(err) => throttled_page(request, err, async || again(None))
            .await
            .map(Some),
    }
}

async fn verify(
    app: &AppState,
    request: &HttpRequest,
    (id, pending): (VerificationId, &PendingEmail),
    owner: Option<&Caller>,
    client: Client,
) -> Result<HttpResponse> {
    let (origin, context) = match owner {
        Some(owner) => (owner.origin(), owner.alert_context()),
        None => (
            Origin {
                user: Some(pending.user.id),
                session: None,
                ip: client
                    .location
                    .clone()
                    .redacted(pending.user.ip_retention)
                    .ip,
                ..Origin::default()
            },
            client.alert_context(pending.user.ip_retention),
        ),
    };
    let verified = match app
        .accounts
        .verify_email(id, pending, origin, context)
        .await
    {
        Ok(verified) => verified,
        // Another request used the link, or the password was changed meanwhile.
        Err(Error::NotFound | Error::InvalidCredentials) => {
            return used_link(app, request, id, Some(UsedPress::Verify)).await;
        }
        Err(err) => return Err(err),
    };
    let (outcome, to_stranger) = match verified {
        Verified::Changed => (AccountNotice::EmailChanged, SignedOutNotice::EmailChanged),
        Verified::Own => (AccountNotice::EmailVerified, SignedOutNotice::EmailVerified),
        Verified::Taken => return taken(request),
    };
    let (page, outcome) = match owner {
        Some(owner) => ("/account", Notice::Account(owner.user.id, outcome)),
        None => ("/sign-in", Notice::SignedOut(to_stranger)),
    };
    notice::put(request, outcome);
    Ok(see_other(page))
}

async fn decline(
    app: &AppState,
    request: &HttpRequest,
    id: VerificationId,
) -> Result<HttpResponse> {
    let declined = match app.accounts.decline_email(id).await {
        Ok(declined) => declined,
        Err(Error::NotFound) => {
            return used_link(app, request, id, Some(UsedPress::NotMine)).await;
        }
        Err(err) => return Err(err),
    };
    let words = match declined {
        Declined::DeletedAccount => "The account that was created with your address is deleted.",
        Declined::CancelledChange => {
            "The change is cancelled. The account’s e-mail stays as it is."
        }
        Declined::SparedAccount => "The account doesn’t send anything to your address any more.",
    };
    let message = Message {
        title: "Thank you",
        words: vec![words.into()],
        ..Message::default()
    };
    message_page(request, StatusCode::OK, message)
}

/// Returns the link of a token, and the address that it is about; `None` when it is void.
///
/// # Errors
/// [`Error::NotFound`] when it is not genuine.
async fn find_pending(
    app: &AppState,
    token: &str,
) -> Result<(VerificationId, Option<PendingEmail>)> {
    let id = app.links.verification(token).ok_or(Error::NotFound)?;
    match app.accounts.get_pending_email(id).await {
        Ok(pending) => Ok((id, Some(pending))),
        Err(Error::NotFound) => Ok((id, None)),
        Err(err) => Err(err),
    }
}

fn is_owner(caller: Option<&Caller>, pending: &PendingEmail) -> bool {
    caller.is_some_and(|caller| caller.user.id == pending.user.id)
}

fn form_page(
    request: &HttpRequest,
    token: &str,
    pending: &PendingEmail,
    asks_password: bool,
    error: Option<(StatusCode, &'static str)>,
) -> Result<HttpResponse> {
    let mut layout = Layout::anonymous(request)?;
    layout.is_failed |= error.is_some();
    let status = error.map_or(StatusCode::OK, |(status, _)| status);
    let error = error
        .map(|(_, words)| words.to_owned())
        .or_else(|| layout.refused_words());
    let template = VerifyEmailPage {
        layout,
        token,
        email: &pending.email,
        is_change: pending.is_change(),
        asks_password,
        error,
    };
    let words = template.error.as_deref();
    failed_page(request, status, (&template, &template.layout), words)
}

/// Returns the page of a link that is void: of one that was used, with what it did.
async fn used_link(
    app: &AppState,
    request: &HttpRequest,
    id: VerificationId,
    press: Option<UsedPress>,
) -> Result<HttpResponse> {
    match app.accounts.find_used_link(id).await? {
        Some(used) => used_page(request, used, press),
        None if app.accounts.is_of_disabled(id).await? => disabled(request),
        None => void_link(request, press == Some(UsedPress::NotMine)),
    }
}

/// Returns the page for a link to an account that is disabled.
fn disabled(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link doesn’t work now",
        words: vec![
            "The account is disabled, so this link changes nothing in it. Ask an administrator of this service."
                .into(),
        ],
        ..Message::default()
    };
    message_page(request, StatusCode::GONE, message)
}

/// Returns the page for a link that was cancelled or replaced, or has expired.
fn void_link(request: &HttpRequest, is_declined: bool) -> Result<HttpResponse> {
    let why = "It was cancelled, it is older than 24 hours, a newer one was sent, the e-mail is verified already, or the account was deleted.";
    let (next, link) = match is_declined {
        true => (
            "So “This isn’t mine” did nothing. If you still get e-mails about an account that isn’t yours, ask an administrator of this service.",
            None,
        ),
        false => (
            "If you have an account, and its e-mail is not verified yet, sign in and request another link on Account.",
            Some(("/account", "Account")),
        ),
    };
    let message = Message {
        title: "This link no longer works",
        words: vec![why.into(), next.into()],
        link,
    };
    message_page(request, StatusCode::GONE, message)
}

fn taken(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "There is already an account with that e-mail",
        words: vec![
            "Another account has this address now, so the e-mail of yours stays as it is.".into(),
        ],
        link: Some(("/account", "Account")),
    };
    message_page(request, StatusCode::CONFLICT, message)
}
