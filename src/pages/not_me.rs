//! `/not-me/{token}`: the page that the link in a message about an alert leads to. Mail scanners
//! follow links, so a GET changes nothing; the form does, once, and then a new password can be set.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::views::AlertView;
use crate::account::RevokeScope;
use crate::alerts::Alert;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, signed_out_response};
use crate::mail::TICKET_LIFETIME;
use crate::people::{PlainPassword, User};
use crate::sessions::Client;

#[derive(Template)]
#[template(path = "pages/not_me.html")]
struct NotMePage<'a> {
    layout: Layout,
    alert: AlertView,
    token: &'a str,
    /// Whether the alert was confirmed or reported already.
    is_used: bool,
    /// Whether the alert reports a sign-in.
    is_sign_in: bool,
    /// Offered again after a report, since the response to it may have been lost.
    form: Option<PasswordForm>,
}

#[derive(Template)]
#[template(path = "pages/after_not_me.html")]
struct AfterPage<'a> {
    layout: Layout,
    /// The outcome, in words.
    done: &'static str,
    token: &'a str,
    /// `None` after a confirmation, and where no password opens the account.
    form: Option<PasswordForm>,
}

/// The form for a new password.
struct PasswordForm {
    /// The ticket that lets its bearer set the password.
    ticket: String,
    email: String,
    /// The minimum length of the password, in characters.
    min_chars: usize,
    error: Option<String>,
}

/// The form of `POST /not-me/{token}`.
#[derive(Deserialize)]
pub struct AlertReviewForm {
    /// `mine` confirms the alert; any other value, such as `not-mine`, reports it.
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

/// Shows the alert, and the form that confirms or reports it.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine, or older than 7 days.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let alert = get_linked_alert(&app, &token).await?;
    let is_used = !alert.is_open();
    let template = NotMePage {
        layout: Layout::anonymous(&request)?,
        is_sign_in: alert.kind.is_sign_in(),
        form: find_password_form(&app, &alert).await?,
        alert: AlertView::for_link(&alert, app.clock.now()),
        token: &token,
        is_used,
    };
    match is_used {
        true => page(StatusCode::GONE, &template),
        false => page(StatusCode::OK, &template),
    }
}

/// Returns the form for a new password again, up to [`TICKET_LIFETIME`] after the report and unless
/// the password was set since: the response to the report may have been lost.
async fn find_password_form(app: &AppState, alert: &Alert) -> Result<Option<PasswordForm>> {
    let now = app.clock.now();
    let Some(at) = alert
        .reported_at()
        .filter(|at| now.since(*at) <= TICKET_LIFETIME)
    else {
        return Ok(None);
    };
    let user = app.people.get(alert.user_id).await?;
    let is_done = user.password_changed_at > at;
    Ok(password_form(app, &user).filter(|_| !is_done))
}

fn password_form(app: &AppState, user: &User) -> Option<PasswordForm> {
    user.has_password().then(|| PasswordForm {
        ticket: app.links.ticket(&user.ticket_binding(), app.clock.now()),
        email: user.email.clone(),
        min_chars: PlainPassword::MIN_CHARS,
        error: None,
    })
}

/// Confirms or reports the alert, once.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine, or older than 7 days.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(form): Form<AlertReviewForm>,
) -> Result<HttpResponse> {
    let alert = get_linked_alert(&app, &token).await?;
    if !alert.is_open() {
        return show(app, request, token).await;
    }
    let user = app.people.get(alert.user_id).await?;
    if form.answer == "mine" {
        app.accounts.confirm_alert_by_link(&alert).await?;
        return after_page(&request, &token, "Good to know. Nothing was changed.", None);
    }
    let scope = match form.all {
        Some(_) => RevokeScope::AllUnconfirmed,
        None => RevokeScope::Alert,
    };
    let ended = app
        .accounts
        .report_alert_by_link(&alert, scope, origin(&user, client))
        .await?;
    let done = match ended.is_empty() {
        false => "It is signed out, and its device is forgotten.",
        true => "Thank you for telling. There was nothing left to sign out.",
    };
    after_page(&request, &token, done, password_form(&app, &user))
}

/// Sets a new password, and ends every session of the person.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine or older than 7 days, or the ticket is not
/// valid.
pub async fn set_password(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(form): Form<NewPasswordForm>,
) -> Result<HttpResponse> {
    let alert = get_linked_alert(&app, &token).await?;
    let user = app.people.get(alert.user_id).await?;
    if !app
        .links
        .is_ticket(&user.ticket_binding(), &form.ticket, app.clock.now())
    {
        return Err(Error::NotFound);
    }
    let password = match PlainPassword::new("new_password", form.new_password) {
        Ok(password) => password,
        Err(err) => return password_form_page(&request, &token, &user, form.ticket, &err),
    };
    let hash = app.people.hash_password(password).await?;
    let alert_context = client.alert_context(user.ip_retention);
    app.accounts
        .set_password(&user, hash, origin(&user, client), alert_context)
        .await?;
    Ok(signed_out_response("password-set"))
}

async fn get_linked_alert(app: &AppState, token: &str) -> Result<Alert> {
    let id = app.links.alert(token).ok_or(Error::NotFound)?;
    app.alerts.get_linked(id).await
}

fn after_page(
    request: &HttpRequest,
    token: &str,
    done: &'static str,
    form: Option<PasswordForm>,
) -> Result<HttpResponse> {
    let template = AfterPage {
        layout: Layout::anonymous(request)?,
        done,
        token,
        form,
    };
    page(StatusCode::OK, &template)
}

fn password_form_page(
    request: &HttpRequest,
    token: &str,
    user: &User,
    ticket: String,
    err: &Error,
) -> Result<HttpResponse> {
    let error = err.field_errors().first();
    let template = AfterPage {
        layout: Layout::anonymous(request)?,
        done: "It is noted. One thing is left:",
        token,
        form: Some(PasswordForm {
            ticket,
            email: user.email.clone(),
            min_chars: PlainPassword::MIN_CHARS,
            error: error.map(|error| error.message.clone()),
        }),
    };
    page(err.status_code(), &template)
}

/// Returns the person as the origin of what they do by a link, without a session.
fn origin(user: &User, client: Client) -> Origin {
    Origin {
        user: Some(user.id),
        session: None,
        ip: client.location.redacted(user.ip_retention).ip,
    }
}
