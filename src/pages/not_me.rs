//! `/not-me/{token}`: where the link of an alert's e-mail leads. Mail scanners follow links, so a GET
//! changes nothing; the button does, once, and then a new password may be set.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::views::AlertView;
use crate::account::RevokeScope;
use crate::alerts::{Alert, AlertContext, TICKET_LIFETIME};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, signed_out_response};
use crate::people::{PlainPassword, User};
use crate::sessions::Client;
use crate::user_agent::device_label;

#[derive(Template)]
#[template(path = "pages/not_me.html")]
struct NotMePage<'a> {
    layout: Layout,
    alert: AlertView,
    token: &'a str,
    /// Whether it was answered before.
    is_used: bool,
    /// Whether it tells of a sign-in, or of something else.
    is_sign_in: bool,
    /// For whom the answer to the button was lost.
    form: Option<PasswordForm>,
}

#[derive(Template)]
#[template(path = "pages/after_not_me.html")]
struct AfterPage<'a> {
    layout: Layout,
    /// What was done.
    done: &'static str,
    token: &'a str,
    /// None where no password opens the account.
    form: Option<PasswordForm>,
}

/// The form for a new password.
struct PasswordForm {
    /// Lets its bearer set one.
    ticket: String,
    email: String,
    /// Characters it has at least.
    min_chars: usize,
    error: Option<String>,
}

/// `POST /not-me/{token}`
#[derive(Deserialize)]
pub struct AlertAnswerForm {
    /// `not-mine`, or `mine`.
    answer: String,
    /// Whether every sign-in in doubt is meant.
    all: Option<String>,
}

/// `POST /not-me/{token}/password`
#[derive(Deserialize)]
pub struct NewPasswordForm {
    ticket: String,
    new_password: String,
}

/// What happened, and the buttons.
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

/// The form once more, for a while: the answer that had it may have been lost on its way. Not after the
/// password was set.
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
        ticket: app.alert_links.ticket(user, app.clock.now()),
        email: user.email.clone(),
        min_chars: PlainPassword::MIN_CHARS,
        error: None,
    })
}

/// Takes the answer, once.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(form): Form<AlertAnswerForm>,
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

/// Sets a new password, which ends every session.
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
        .alert_links
        .is_ticket(&user, &form.ticket, app.clock.now())
    {
        return Err(Error::NotFound);
    }
    let password = match PlainPassword::new("new_password", form.new_password) {
        Ok(password) => password,
        Err(err) => return password_form_page(&request, &token, &user, form.ticket, &err),
    };
    let hash = app.people.hash_password(password).await?;
    let alert_context = alert_context(&user, &client);
    app.accounts
        .change_password(&user, hash, origin(&user, client), alert_context)
        .await?;
    Ok(signed_out_response("password-set"))
}

async fn get_linked_alert(app: &AppState, token: &str) -> Result<Alert> {
    let id = app.alert_links.alert(token).ok_or(Error::NotFound)?;
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

/// The person, by their e-mail rather than a session.
fn origin(user: &User, client: Client) -> Origin {
    Origin {
        user: Some(user.id),
        session: None,
        ip: client.location.redacted(user.ip_retention).ip,
    }
}

fn alert_context(user: &User, client: &Client) -> AlertContext {
    AlertContext {
        session: None,
        device_name: device_label(&client.facts),
        device_kind: client.facts.kind,
        location: client.location.clone().redacted(user.ip_retention),
    }
}
