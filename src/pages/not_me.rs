//! `/not-me/{token}`: the page that the link in a message leads to. Mail scanners follow links, so
//! a GET changes nothing; its form does. What the page offers depends on what the message's mailbox
//! is to the account now: a former address takes the account back on `super::take_back`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::link_reviews::Press;
use super::message::{Message, message_page};
use super::new_password::{
    PasswordForm, after_page, find_used, get_linked_message, hash_typed, origin, password_page,
    refused_form,
};
use super::not_me_page::load_page;
use super::reviewed_link::{advice, after_confirmation, after_report};
use super::take_back;
use super::used_link::{UsedPress, used_page};
use super::void_link::{doubtful_mailbox, unknown_link, void_link};
use crate::account::{LinkedMessage, Mailbox, PasswordGrant, RevokeScope};
use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::device_cookie;
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::forms::PublicForm;
use crate::http::layout::{page, signed_out_response};
use crate::http::notice::SignedOutNotice;
use crate::http::reader_clock::ReaderClock;
use crate::mail::TICKET_LIFETIME;
use crate::people::User;
use crate::sessions::Client;

/// The form of `POST /not-me/{token}`.
#[derive(Deserialize)]
pub struct AlertReviewForm {
    /// `mine` confirms, `own-change` a change of the e-mail at the former one; any other value, such as `not-mine`,
    /// reports.
    answer: String,
    /// Present if the sessions of every open alert about a sign-in end as well.
    all: Option<String>,
}

/// The form of `POST /not-me/{token}/password`.
#[derive(Deserialize)]
pub struct NewPasswordForm {
    ticket: String,
    new_password: String,
}

/// Shows what the message tells of, and the form that confirms or reports it.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    match get_linked_message(&app, &token).await {
        Ok(message) => show_message(&app, &request, (&token, &message), None).await,
        Err(Error::NotFound) => unknown_link(&app, &request, &token),
        Err(err) => Err(err),
    }
}

/// Returns the page of a message, which says what became of a `press` that came too late.
async fn show_message(
    app: &AppState,
    request: &HttpRequest,
    (token, message): (&str, &LinkedMessage),
    press: Option<Press>,
) -> Result<HttpResponse> {
    match &message.mailbox {
        Mailbox::Void => match find_used(app, token).await? {
            Some(used) => used_page(request, used, press.map(UsedPress::of_former)),
            None => void_link(request),
        },
        Mailbox::Own if message.is_in_doubt => doubtful_mailbox(request),
        Mailbox::Own => own_page(app, request, (token, message), press).await,
        former @ Mailbox::Former { .. } => {
            take_back::show(app, request, (token, message, former), None).await
        }
    }
}

async fn own_page(
    app: &AppState,
    request: &HttpRequest,
    (token, message): (&str, &LinkedMessage),
    press: Option<Press>,
) -> Result<HttpResponse> {
    let form = may_continue(app, message).then(|| PasswordForm::new(app, message));
    if message.alerts.is_empty() {
        return settled(app, request, (token, message), (press, form.flatten())).await;
    }
    let template = load_page(app, request, (token, message), (press, form.flatten())).await?;
    let is_shown_again = template.layout.failed.is_some();
    let status = match template.is_used && !is_shown_again {
        true => StatusCode::GONE,
        false => StatusCode::OK,
    };
    page(status, &template)
}

/// Returns the page again where *Yes* was pressed with what goes with *No* alone: either may be meant. `None`
/// where nothing is left to be ticked.
async fn ask_again(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<Option<HttpResponse>> {
    let mut template = load_page(app, request, (token, message), (None, None)).await?;
    if template.unconfirmed.is_none() {
        return Ok(None);
    }
    template.is_ticked = true;
    template.layout.refusal = Some(format!(
        "Nothing was done: what is ticked below goes with “{}”, but “{}” was pressed. Untick it, or press “{}”.",
        template.no, template.yes, template.no
    ));
    let failed = (&template, &template.layout);
    failed_page(request, StatusCode::BAD_REQUEST, failed, None).map(Some)
}

/// Returns whether the form for a new password is shown again: the response to the report, or to
/// taking the account back, may have been lost.
fn may_continue(app: &AppState, message: &LinkedMessage) -> bool {
    let now = app.clock.now();
    let reported = message.alerts.iter().filter_map(Alert::reported_at);
    let is_recent = reported
        .max()
        .is_some_and(|at| now.since(at) <= TICKET_LIFETIME);
    message.may_set_password && (is_recent || message.user.is_password_void())
}

/// Confirms or reports what the message tells of, once.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    form: PublicForm<AlertReviewForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(_) => {
            return refused_form(&request, show(app, request.clone(), token)).await;
        }
    };
    let message = match get_linked_message(&app, &token).await {
        Err(Error::NotFound) => return unknown_link(&app, &request, &token),
        message => message?,
    };
    let is_open = message.alerts.iter().any(Alert::is_open);
    let press = Press::of(&form.answer);
    match &message.mailbox {
        // Pressed on a page from before the e-mail was changed, which asked something else.
        former @ Mailbox::Former { .. } if !Press::is_of_former(&form.answer) => {
            let page = (token.as_str(), &message, former);
            take_back::show(&app, &request, page, Some(take_back::CHANGED_SINCE)).await
        }
        Mailbox::Former { id, .. } => {
            let origin = origin(&message.user, client);
            match take_back::submit(&app, &request, &token, (*id, press), origin).await? {
                Some(done) => Ok(done),
                None => late(&app, &request, &token, press).await,
            }
        }
        Mailbox::Own if is_open && !message.is_in_doubt && Press::is_of_former(&form.answer) => {
            ask_anew(&app, &request, &token, &message).await
        }
        Mailbox::Own if is_open && !message.is_in_doubt => {
            review(&app, &request, &token, &message, &form, client).await
        }
        Mailbox::Own | Mailbox::Void => {
            show_message(&app, &request, (&token, &message), Some(press)).await
        }
    }
}

/// Shows the page to whoever answered another one, from when the account had another e-mail.
async fn ask_anew(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<HttpResponse> {
    let mut template = load_page(app, request, (token, message), (None, None)).await?;
    template.layout.refusal = Some(take_back::CHANGED_SINCE.into());
    let failed = (&template, &template.layout);
    failed_page(request, StatusCode::CONFLICT, failed, None)
}

/// Returns the page for a press that came after another one, at the same time: that of the message as it is now.
async fn late(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    press: Press,
) -> Result<HttpResponse> {
    let message = get_linked_message(app, token).await?;
    let is_void = message.mailbox == Mailbox::Void;
    if is_void && find_used(app, token).await?.is_none() {
        return take_back::late(request, press);
    }
    show_message(app, request, (token, &message), Some(press)).await
}

async fn review(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
    form: &AlertReviewForm,
    client: Client,
) -> Result<HttpResponse> {
    let is_unclear = form.answer == "mine" && form.all.is_some();
    if is_unclear && let Some(again) = ask_again(app, request, token, message).await? {
        return Ok(again);
    }
    let reviewed = match form.answer.as_str() {
        "mine" => app
            .accounts
            .confirm_alerts(message.alerts.clone())
            .await
            .map(|()| None),
        _ => {
            let scope = match form.all {
                Some(_) => RevokeScope::AllUnconfirmed,
                None => RevokeScope::Alert,
            };
            let origin = origin(&message.user, client);
            let alerts = message.alerts.clone();
            let reported = app.accounts.report_alerts(alerts, scope, origin).await;
            reported.map(Some)
        }
    };
    match reviewed {
        Ok(None) => after_confirmation(app, request, token, message).await,
        Ok(Some(reported)) => after_report(app, request, token, (message, &reported)).await,
        // The same form was sent twice at the same time.
        Err(Error::NotFound) => late(app, request, token, Press::of(&form.answer)).await,
        Err(err) => Err(err),
    }
}

/// Sets a new password, and ends every session of the person.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine or has expired, or the ticket is not valid.
pub async fn set_password(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    form: PublicForm<NewPasswordForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(form) => {
            let page = password_page_again(&app, &request, &token, form.ticket);
            return refused_form(&request, page).await;
        }
    };
    let (user, grant) = match get_granted(&app, &token, &form.ticket).await {
        Err(Error::NotFound) => return used_link(&app, &request, &token).await,
        granted => granted?,
    };
    let hash = match hash_typed(&app, &request, &user, form.new_password).await {
        Err(err @ Error::Invalid(_)) => {
            return password_page(&request, &token, (&user, form.ticket), Some(&err));
        }
        Err(err) => {
            let again = async || password_page(&request, &token, (&user, form.ticket), None);
            return throttled_page(&request, err, again).await;
        }
        Ok(hash) => hash,
    };
    let context = client.alert_context(user.ip_retention);
    let set = app
        .accounts
        .set_password_by_grant(&grant, hash, origin(&user, client), context)
        .await;
    match set {
        // The same form was sent twice at the same time.
        Err(Error::NotFound) => return used_link(&app, &request, &token).await,
        set => set?,
    };
    device_cookie::remember(&request, &app.people.get(user.id).await?)?;
    Ok(signed_out_response(&request, SignedOutNotice::PasswordSet))
}

/// Returns the page of a link that set a password.
///
/// # Errors
/// [`Error::NotFound`] when it did not.
async fn used_link(app: &AppState, request: &HttpRequest, token: &str) -> Result<HttpResponse> {
    let used = find_used(app, token).await?.ok_or(Error::NotFound)?;
    used_page(request, used, Some(UsedPress::Password))
}

/// Returns the form for a new password again, with its ticket.
async fn password_page_again(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    ticket: String,
) -> Result<HttpResponse> {
    let (user, _) = get_granted(app, token, &ticket).await?;
    password_page(request, token, (&user, ticket), None)
}

/// Returns the person whose password the bearer of the ticket may set, and what it was issued for.
/// Nobody else is shown whose it is.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine, has expired or may not set the password, or the
/// ticket is not valid.
async fn get_granted(app: &AppState, token: &str, ticket: &str) -> Result<(User, PasswordGrant)> {
    let message = get_linked_message(app, token).await?;
    let grant = message.grant.ok_or(Error::NotFound)?;
    let now = app.clock.now();
    match app.links.is_ticket(&grant.binding(), ticket, now) {
        true => Ok((message.user, grant)),
        false => Err(Error::NotFound),
    }
}

/// Returns the page of a link to take an account back that has its e-mail again; while its password
/// is void, with the form for a new one.
async fn settled(
    app: &AppState,
    request: &HttpRequest,
    (token, message): (&str, &LinkedMessage),
    (press, form): (Option<Press>, Option<PasswordForm>),
) -> Result<HttpResponse> {
    let acts = app.accounts.list_answer_acts(message.user.id, &[]).await?;
    let clock = ReaderClock::of_browser(request)?;
    // An earlier time is not the one at which it got its e-mail again.
    let link = app.links.message(token);
    let is_since = |at: &Timestamp| link.is_some_and(|link| link.is_before(*at));
    let at = acts.taken_back_last().filter(is_since);
    let at = at.map(|at| clock.zone.exact(at));
    let words = have_again(press, at.as_deref());
    if message.user.is_password_void() {
        let done = format!("{words} Its old password no longer works.");
        return after_page(request, token, &done, Some(advice(message)), form);
    }
    let message = Message {
        title: "The account has this e-mail",
        words: vec![
            words,
            "There is nothing to take back: you sign in with this address.".into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::OK, message)
}

/// Says that the account has the e-mail of its reader again, and since when if it was taken back; and that
/// another press did nothing.
fn have_again(press: Option<Press>, taken_back: Option<&str>) -> String {
    match (press, taken_back) {
        (Some(Press::Yes), Some(at)) => format!(
            "The account was taken back on {at}, so your “{}” did nothing. It has this e-mail, and every device was signed out.",
            Press::Yes.label_of_former()
        ),
        (_, Some(at)) => format!(
            "The account was taken back on {at}: it has this e-mail, and every device was signed out."
        ),
        (Some(press), None) => format!(
            "The account has this e-mail again already, so your “{}” did nothing.",
            press.label_of_former()
        ),
        (None, None) => "The account has this e-mail.".into(),
    }
}
