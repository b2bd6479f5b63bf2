//! `/not-me/{token}`: the page that the link in a message leads to. Mail scanners follow links, so
//! a GET changes nothing; its form does. What the page offers depends on what the message's mailbox
//! is to the account now: a former address takes the account back on `super::take_back`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::alert_views::AlertView;
use super::message::{Message, message_page};
use super::new_password::{
    PasswordForm, after_page, get_linked_message, hash_typed, origin, password_page, refused_form,
};
use super::reviewed_link::{FORGOTTEN, after_confirmation, after_report};
use super::{report_words, take_back};
use crate::account::{AlertDetails, LinkedMessage, Mailbox, PasswordGrant, RevokeScope};
use crate::alerts::Alert;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::device_cookie;
use crate::http::forms::PublicForm;
use crate::http::layout::{Layout, page, signed_out_response, throttled_page};
use crate::http::notice::SignedOutNotice;
use crate::http::reader_clock::ReaderClock;
use crate::mail::TICKET_LIFETIME;
use crate::people::User;
use crate::sessions::Client;

const QUESTION: &str = "Was this you?";
/// Alerts that a page lists at most.
const MAX_LISTED: usize = 50;

#[derive(Template)]
#[template(path = "pages/not_me.html")]
struct NotMePage<'a> {
    layout: Layout,
    alerts: Vec<AlertView>,
    /// How many alerts are not listed.
    unlisted: usize,
    token: &'a str,
    /// The question, or what became of it.
    heading: &'static str,
    /// Whether the alerts were confirmed or reported already.
    is_used: bool,
    /// Whether what the alerts are about was signed out already.
    is_over: bool,
    /// Whether the alerts report sign-ins.
    is_sign_in: bool,
    /// What is asked for, and what that does.
    request: String,
    /// The other devices that nobody has confirmed, which a report signs out if that is wanted.
    unconfirmed: Option<String>,
    /// Whether it can be confirmed here: a changed e-mail can't at the new address.
    may_confirm: bool,
    /// The labels of the buttons.
    yes: &'static str,
    no: &'static str,
    /// Whether a new password can be set after a report.
    offers_password: bool,
    /// Offered again after a report, since the response to it may have been lost.
    form: Option<PasswordForm>,
}

/// The form of `POST /not-me/{token}`.
#[derive(Deserialize)]
pub struct AlertReviewForm {
    /// `mine` confirms; any other value, such as `not-mine`, reports.
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
        Ok(message) => show_message(&app, &request, &token, &message).await,
        Err(Error::NotFound) => unknown_link(&request),
        Err(err) => Err(err),
    }
}

async fn show_message(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<HttpResponse> {
    match &message.mailbox {
        Mailbox::Void => void_link(request),
        Mailbox::Own if message.is_in_doubt => doubtful_mailbox(request),
        Mailbox::Own => own_page(app, request, token, message).await,
        former @ Mailbox::Former { .. } => {
            take_back::show(app, request, token, message, former).await
        }
    }
}

async fn own_page(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<HttpResponse> {
    let form = may_continue(app, message).then(|| PasswordForm::new(app, message));
    if message.alerts.is_empty() {
        return settled(request, token, message, form.flatten());
    }
    let clock = ReaderClock::of_browser(request)?;
    let is_used = !message.alerts.iter().any(Alert::is_open);
    let listed = message.alerts.iter().take(MAX_LISTED).cloned().collect();
    let listed = app
        .accounts
        .describe_alerts(message.user.id, listed)
        .await?;
    let is_over = listed.iter().all(AlertDetails::is_over);
    let is_settled_with_others =
        |details: &AlertDetails| details.alert.settled_by != Some(details.alert.id);
    let open: Vec<Alert> = message
        .alerts
        .iter()
        .filter(|it| it.is_open())
        .cloned()
        .collect();
    let preview = app.accounts.preview_report(message.user.id, open).await?;
    let alerts: Vec<_> = listed
        .iter()
        .map(|details| AlertView::for_link(details, clock))
        .collect();
    let template = NotMePage {
        layout: Layout::anonymous(request)?,
        is_sign_in: message.alerts.iter().all(|alert| alert.kind.is_sign_in()),
        offers_password: message.may_set_password,
        may_confirm: message
            .alerts
            .iter()
            .any(|it| it.kind.is_confirmable_by_link()),
        request: report_words::request(&message.alerts, &preview, clock),
        unconfirmed: report_words::unconfirmed(&preview, clock),
        yes: alerts.first().map_or("Yes, it was me", |alert| alert.yes),
        no: alerts.first().map_or("No, it wasn’t me", |alert| alert.no),
        form: form.flatten(),
        unlisted: message.alerts.len().saturating_sub(MAX_LISTED),
        heading: match (is_used, listed.len()) {
            (false, 1) => alerts.first().map_or(QUESTION, |alert| alert.heading),
            (false, _) if is_over => "They are already signed out. Was it you?",
            (false, _) => QUESTION,
            (true, _) if listed.iter().all(is_settled_with_others) => "This is settled",
            (true, _) => "This was answered",
        },
        alerts,
        token,
        is_used,
        is_over,
    };
    match is_used {
        true => page(StatusCode::GONE, &template),
        false => page(StatusCode::OK, &template),
    }
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
        PublicForm::Refused(_) => return refused_form(show(app, request, token)).await,
    };
    let message = match get_linked_message(&app, &token).await {
        Err(Error::NotFound) => return unknown_link(&request),
        message => message?,
    };
    let is_open = message.alerts.iter().any(Alert::is_open);
    match &message.mailbox {
        Mailbox::Former { id, .. } => {
            let origin = origin(&message.user, client);
            take_back::submit(&app, &request, &token, (*id, &form.answer), origin).await
        }
        Mailbox::Own if is_open && !message.is_in_doubt => {
            review(&app, &request, &token, &message, &form, client).await
        }
        Mailbox::Own | Mailbox::Void => show_message(&app, &request, &token, &message).await,
    }
}

async fn review(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
    form: &AlertReviewForm,
    client: Client,
) -> Result<HttpResponse> {
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
        Err(Error::NotFound) => {
            let message = get_linked_message(app, token).await?;
            show_message(app, request, token, &message).await
        }
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
            return refused_form(password_page_again(&app, &request, &token, form.ticket)).await;
        }
    };
    let (user, grant) = get_granted(&app, &token, &form.ticket).await?;
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
    app.accounts
        .set_password_by_grant(&grant, hash, origin(&user, client), context)
        .await?;
    device_cookie::remember(&request, &app.people.get(user.id).await?)?;
    Ok(signed_out_response(&request, SignedOutNotice::PasswordSet))
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
fn settled(
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
    form: Option<PasswordForm>,
) -> Result<HttpResponse> {
    if message.user.is_password_void() {
        let done = "The account has this e-mail, and its password no longer works.";
        return after_page(request, token, done, Some(FORGOTTEN), form);
    }
    let message = Message {
        title: "The account has this e-mail",
        words: vec!["There is nothing to take back: you sign in with this address.".into()],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::OK, message)
}

/// Returns the page of a link that is not genuine, or has expired.
fn unknown_link(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link doesn’t work",
        words: vec![
            "It may be too old, or a part of it is missing: open it from the message itself.".into(),
            "Your devices shows what needs your attention. Sign in on a device that you used before. If you can’t sign in, set a new password."
                .into(),
        ],
        link: Some(("/devices", "Your devices")),
    };
    message_page(request, StatusCode::NOT_FOUND, message)
}

/// Returns the page of a link whose mailbox may be that of somebody in doubt. It shows no facts.
fn doubtful_mailbox(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link can’t answer that",
        words: vec![
            "The e-mail of the account was changed recently, and nobody has confirmed yet who did it.".into(),
            "Sign in on a device that you used before, and answer it there, under Your devices.".into(),
        ],
        link: Some(("/devices", "Your devices")),
    };
    message_page(request, StatusCode::FORBIDDEN, message)
}

/// Returns the page of a link whose mailbox is none of the account's any more. It shows no facts.
fn void_link(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link no longer works",
        words: vec![
            "The account has another e-mail now, so this link can’t change anything in it.".into(),
            "If the account is yours, sign in, or ask an administrator of this service.".into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::GONE, message)
}
