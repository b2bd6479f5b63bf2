//! `/sign-in`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::browser;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, see_other};
use crate::people::{PlainPassword, User};
use crate::sessions::{Client, OpenedVia, Opening, Session, Stay};

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct SignInPage<'a> {
    layout: Layout,
    next: &'a str,
    email: &'a str,
    keep: bool,
    can_sign_up: bool,
    notice: Option<&'static str>,
    error: Option<&'static str>,
}

/// `GET /sign-in`
#[derive(Deserialize)]
pub struct Arrival {
    next: Option<String>,
    done: Option<String>,
}

/// `POST /sign-in`
#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: String,
    remember: Option<String>,
    next: Option<String>,
}

/// The form; for somebody who is signed in, the page they came for.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    MaybeCaller(caller): MaybeCaller,
    web::Query(arrival): web::Query<Arrival>,
) -> Result<HttpResponse> {
    let next = app.allowed_hosts.destination(arrival.next.as_deref());
    if caller.is_some() {
        return Ok(see_other(next));
    }
    let template = SignInPage {
        layout: Layout::anonymous(&request)?,
        next: &next,
        email: "",
        keep: false,
        can_sign_up: app.sign_up,
        notice: arrival.done.as_deref().and_then(notice),
        error: None,
    };
    page(StatusCode::OK, &template)
}

/// Opens a session in this browser.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    Form(form): Form<SignIn>,
) -> Result<HttpResponse> {
    let stay = if form.remember.is_some() {
        Stay::Remembered
    } else {
        Stay::Brief
    };
    let next = app.allowed_hosts.destination(form.next.as_deref());
    match app
        .people
        .authenticate(&form.email, PlainPassword::claimed(form.password))
        .await
    {
        Ok(user) => {
            open(
                &app,
                &request,
                &user,
                client,
                stay,
                before.map(|caller| caller.session),
            )
            .await?;
            Ok(see_other(next))
        }
        Err(Error::InvalidCredentials) => {
            let template = SignInPage {
                layout: Layout::anonymous(&request)?,
                next: &next,
                email: &form.email,
                keep: stay == Stay::Remembered,
                can_sign_up: app.sign_up,
                notice: None,
                error: Some("E-mail or password is wrong. Check both and try again."),
            };
            page(StatusCode::UNAUTHORIZED, &template)
        }
        Err(other) => Err(other),
    }
}

/// Opens a session for `user` and gives it to the browser, in place of the one it had `before`.
pub(super) async fn open(
    app: &App,
    request: &HttpRequest,
    user: &User,
    client: Client,
    stay: Stay,
    before: Option<Session>,
) -> Result<()> {
    let opening = Opening {
        client,
        device_id: Some(browser::device(request)?),
        device_name: None,
        via: OpenedVia::Browser,
        stay,
        replaces: before,
    };
    let session = app.sessions.open(user, opening).await?;
    browser::keep(request, &session)
}

/// What is said after an act that ended at this page. Each is true of whoever sees the form.
fn notice(done: &str) -> Option<&'static str> {
    match done {
        "signed-out" => Some("You are signed out on this device."),
        "signed-out-everywhere" => Some("You are signed out on this device and everywhere else."),
        "password-set" => {
            Some("Your new password is set, and every device is signed out. Sign in with it.")
        }
        "deleted" => Some("Your account is deleted, with everything that belonged to it."),
        _ => None,
    }
}
