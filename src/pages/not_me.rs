//! `/not-me/{token}`: where the link of an alert's e-mail leads. Mail scanners follow links, so a GET
//! changes nothing; the button does, once, and then a new password may be set.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::views::AlertView;
use crate::alerts::{Alert, Scene, TICKET_LIFETIME};
use crate::devices::naming;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app::App;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, signed_out};
use crate::people::{PlainPassword, User};
use crate::sessions::{Client, Reach};

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
    least: usize,
    error: Option<String>,
}

/// `POST /not-me/{token}`
#[derive(Deserialize)]
pub struct Said {
    /// `not-mine`, or `mine`.
    answer: String,
    /// Whether every sign-in in doubt is meant.
    all: Option<String>,
}

/// `POST /not-me/{token}/password`
#[derive(Deserialize)]
pub struct NewPassword {
    ticket: String,
    new_password: String,
}

/// What happened, and the buttons.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let alert = linked(&app, &token).await?;
    let is_used = !alert.is_open();
    let template = NotMePage {
        layout: Layout::anonymous(&request)?,
        is_sign_in: alert.kind.is_sign_in(),
        form: form_again(&app, &alert).await?,
        alert: AlertView::bare(&alert, app.clock.now()),
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
async fn form_again(app: &App, alert: &Alert) -> Result<Option<PasswordForm>> {
    let now = app.clock.now();
    let Some(at) = alert
        .disowned_at()
        .filter(|at| now.since(*at) <= TICKET_LIFETIME)
    else {
        return Ok(None);
    };
    let user = app.people.by_id(alert.user_id).await?;
    let is_done = user.password_changed_at > at;
    Ok(password_form(app, &user).filter(|_| !is_done))
}

fn password_form(app: &App, user: &User) -> Option<PasswordForm> {
    user.has_password().then(|| PasswordForm {
        ticket: app.links.ticket(user, app.clock.now()),
        email: user.email.clone(),
        least: PlainPassword::LEAST,
        error: None,
    })
}

/// Takes the answer, once.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(said): Form<Said>,
) -> Result<HttpResponse> {
    let alert = linked(&app, &token).await?;
    if !alert.is_open() {
        return show(app, request, token).await;
    }
    let user = app.people.by_id(alert.user_id).await?;
    if said.answer == "mine" {
        app.sessions.own_up_by_link(&alert).await?;
        return after(&request, &token, "Good to know. Nothing was changed.", None);
    }
    let reach = match said.all {
        Some(_) => Reach::AllUnknown,
        None => Reach::This,
    };
    let ended = app
        .sessions
        .disown_from(&alert, reach, origin(&user, client))
        .await?;
    let done = match ended.is_empty() {
        false => "It is signed out, and its device is forgotten.",
        true => "Thank you for telling. There was nothing left to sign out.",
    };
    after(&request, &token, done, password_form(&app, &user))
}

/// Sets a new password, which ends every session.
pub async fn set_password(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(typed): Form<NewPassword>,
) -> Result<HttpResponse> {
    let alert = linked(&app, &token).await?;
    let user = app.people.by_id(alert.user_id).await?;
    if !app.links.is_ticket(&user, &typed.ticket, app.clock.now()) {
        return Err(Error::NotFound);
    }
    let password = match PlainPassword::new("new_password", typed.new_password) {
        Ok(password) => password,
        Err(fault) => return again(&request, &token, &user, typed.ticket, &fault),
    };
    let hash = app.people.hash(password).await?;
    let scene = scene(&user, &client);
    app.sessions
        .change_password(&user, hash, origin(&user, client), scene)
        .await?;
    Ok(signed_out("password-set"))
}

async fn linked(app: &App, token: &str) -> Result<Alert> {
    let id = app.links.alert(token).ok_or(Error::NotFound)?;
    app.alerts.linked(id).await
}

fn after(
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

fn again(
    request: &HttpRequest,
    token: &str,
    user: &User,
    ticket: String,
    fault: &Error,
) -> Result<HttpResponse> {
    let error = fault.field_errors().first();
    let template = AfterPage {
        layout: Layout::anonymous(request)?,
        done: "It is noted. One thing is left:",
        token,
        form: Some(PasswordForm {
            ticket,
            email: user.email.clone(),
            least: PlainPassword::LEAST,
            error: error.map(|error| error.message.clone()),
        }),
    };
    page(fault.status_code(), &template)
}

/// The person, by their e-mail rather than a session.
fn origin(user: &User, client: Client) -> Origin {
    Origin {
        user: Some(user.id),
        session: None,
        ip: client.location.kept(user.address_keeping).ip,
    }
}

fn scene(user: &User, client: &Client) -> Scene {
    Scene {
        session: None,
        device_name: naming::name(&client.facts),
        device_kind: client.facts.kind,
        location: client.location.clone().kept(user.address_keeping),
    }
}
