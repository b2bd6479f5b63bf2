//! `/not-me/{token}`: where the link of an alert's e-mail leads. Mail scanners follow links, so a GET
//! changes nothing; the button does, once, and then a new password may be set.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::views::AlertView;
use crate::alerts::{Alert, Scene};
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
}

#[derive(Template)]
#[template(path = "pages/after_not_me.html")]
struct AfterPage<'a> {
    layout: Layout,
    /// What was done.
    done: &'static str,
    token: &'a str,
    email: &'a str,
    /// Lets its bearer set a new password; none where no password opens the account.
    ticket: Option<String>,
    least_password: usize,
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
        alert: AlertView::bare(&alert, app.clock.now()),
        token: &token,
        is_used,
    };
    match is_used {
        true => page(StatusCode::GONE, &template),
        false => page(StatusCode::OK, &template),
    }
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
        let done = "Good to know. Nothing was changed.";
        return after(&app, &request, &token, &user, done, None);
    }
    let reach = match said.all {
        Some(_) => Reach::AllUnknown,
        None => Reach::This,
    };
    let ended = app
        .sessions
        .disown_from(&alert, reach, origin(&user, client))
        .await?;
    let ticket = user
        .has_password()
        .then(|| app.links.ticket(&user, app.clock.now()));
    let done = match ended.is_empty() {
        false => "It is signed out, and its device is forgotten.",
        true => "Thank you for telling. There was nothing left to sign out.",
    };
    after(&app, &request, &token, &user, done, ticket)
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
    app: &App,
    request: &HttpRequest,
    token: &str,
    user: &User,
    done: &'static str,
    ticket: Option<String>,
) -> Result<HttpResponse> {
    tracing::info!(is_not_mine = ticket.is_some(), at = %app.clock.now(), "an alert was answered by its link");
    let template = AfterPage {
        layout: Layout::anonymous(request)?,
        done,
        token,
        email: &user.email,
        ticket,
        least_password: PlainPassword::LEAST,
        error: None,
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
        done: "It is signed out.",
        token,
        email: &user.email,
        ticket: Some(ticket),
        least_password: PlainPassword::LEAST,
        error: error.map(|error| error.message.clone()),
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
