//! `/account`: name and password.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::sign_out::Nothing;
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, Place, page, see_other, signed_out};
use crate::people::{FullName, IdleLimit, PlainPassword};
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/account.html")]
struct AccountPage {
    layout: Layout,
    email: String,
    /// As last typed.
    email_typed: String,
    email_error: Option<String>,
    full_name: String,
    least_password: usize,
    idle_choices: Vec<Choice>,
    address_choices: Vec<Choice>,
    alert_emails: bool,
    is_admin: bool,
    notice: Option<&'static str>,
    name_error: Option<String>,
    current_password_error: Option<String>,
    new_password_error: Option<String>,
}

/// `GET /account`
#[derive(Deserialize)]
pub struct Arrival {
    done: Option<String>,
}

/// `POST /account/name`
#[derive(Deserialize)]
pub struct Rename {
    full_name: String,
}

/// `POST /account/email`
#[derive(Deserialize)]
pub struct ChangeEmail {
    email: String,
}

/// A choice among several.
struct Choice {
    value: &'static str,
    words: &'static str,
    is_chosen: bool,
}

/// `POST /account/password`
#[derive(Deserialize)]
pub struct ChangePassword {
    current_password: String,
    new_password: String,
}

/// The page.
pub async fn show(
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    web::Query(arrival): web::Query<Arrival>,
) -> Result<HttpResponse> {
    let mut template = AccountPage::new(&request, &caller)?;
    template.notice = match arrival.done.as_deref() {
        Some("renamed") => Some("Your name is saved."),
        Some("email") => Some("Your e-mail is saved. You sign in with it from now on."),
        Some("alerts") => Some("It is saved."),
        Some("addresses") => {
            Some("It is saved. What was kept before is no more than that now, either.")
        }
        Some("idle-limit") => Some("It is saved. Devices unused for longer are signed out."),
        Some("password-changed") => {
            Some("Your password is changed, and your other devices are signed out.")
        }
        _ => None,
    };
    page(StatusCode::OK, &template)
}

/// Changes how the person wants to be called.
pub async fn rename(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<Rename>,
) -> Result<HttpResponse> {
    match FullName::parse(&form.full_name) {
        Ok(name) => {
            app.people.rename(caller.user.id, name).await?;
            Ok(see_other("/account?done=renamed"))
        }
        Err(fault) => {
            let mut template = AccountPage::new(&request, &caller)?;
            template.full_name = form.full_name;
            template.name_error = message(&fault);
            page(fault.status_code(), &template)
        }
    }
}

/// Changes what the person signs in with.
pub async fn change_email(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChangeEmail>,
) -> Result<HttpResponse> {
    app.sessions.require_recent_password(&caller)?;
    let changed = match form.email.parse() {
        Ok(email) => app.sessions.change_email(&caller, email).await,
        Err(fault) => Err(fault),
    };
    let fault = match changed {
        Ok(()) => return Ok(see_other("/account?done=email")),
        Err(fault) => fault,
    };
    let mut template = AccountPage::new(&request, &caller)?;
    template.email_error = match &fault {
        Error::EmailTaken => Some("has an account already".into()),
        Error::Invalid(_) => message(&fault),
        _ => return Err(fault),
    };
    template.email_typed = form.email;
    page(fault.status_code(), &template)
}

/// Changes the password; every other session ends with it.
pub async fn change_password(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChangePassword>,
) -> Result<HttpResponse> {
    let mut template = AccountPage::new(&request, &caller)?;
    let new = match PlainPassword::new("new_password", form.new_password) {
        Ok(new) => new,
        Err(fault) => {
            template.new_password_error = message(&fault);
            return page(fault.status_code(), &template);
        }
    };
    match app
        .people
        .confirm(&caller.user, PlainPassword::claimed(form.current_password))
        .await
    {
        Ok(()) => {
            let hash = app.people.hash(new).await?;
            app.sessions
                .change_password(&caller.user, hash, caller.origin(), caller.scene())
                .await?;
            let session = app.sessions.confirm(&caller).await?;
            browser::keep(&request, &session)?;
            Ok(see_other("/account?done=password-changed"))
        }
        Err(Error::InvalidCredentials) => {
            template.current_password_error = Some("is not your password".into());
            page(StatusCode::BAD_REQUEST, &template)
        }
        Err(fault) => Err(fault),
    }
}

/// Deletes the account with everything that belongs to it.
pub async fn delete(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<Nothing>,
) -> Result<HttpResponse> {
    app.sessions.require_recent_password(&caller)?;
    app.people.delete(caller.user.id).await?;
    browser::forget(&request);
    Ok(signed_out("deleted"))
}

impl AccountPage {
    fn new(request: &HttpRequest, caller: &Caller) -> Result<Self> {
        Ok(Self {
            layout: Layout::of(request, caller, Place::Account)?,
            email: caller.user.email.clone(),
            email_typed: caller.user.email.clone(),
            email_error: None,
            full_name: caller.user.full_name.clone().unwrap_or_default(),
            least_password: PlainPassword::LEAST,
            idle_choices: idle_choices(caller.user.idle_limit()),
            address_choices: address_choices(caller.user.address_keeping),
            alert_emails: caller.user.alert_emails,
            is_admin: caller.user.is_admin,
            notice: None,
            name_error: None,
            current_password_error: None,
            new_password_error: None,
        })
    }
}

fn idle_choices(chosen: Option<IdleLimit>) -> Vec<Choice> {
    let choice = |limit: IdleLimit| Choice {
        value: limit.as_str(),
        words: match limit {
            IdleLimit::Week => "1 week",
            IdleLimit::Month => "1 month",
            IdleLimit::ThreeMonths => "3 months",
            IdleLimit::Year => "1 year",
        },
        is_chosen: chosen == Some(limit),
    };
    IdleLimit::ALL.into_iter().map(choice).collect()
}

fn address_choices(chosen: AddressKeeping) -> Vec<Choice> {
    let choice = |keeping: AddressKeeping| Choice {
        value: keeping.as_str(),
        words: match keeping {
            AddressKeeping::Whole => "Whole addresses, like 203.0.113.24",
            AddressKeeping::Shortened => "Shortened ones, like 203.0.113.0/24",
            AddressKeeping::None => "No addresses",
        },
        is_chosen: keeping == chosen,
    };
    AddressKeeping::ALL.into_iter().map(choice).collect()
}

fn message(fault: &Error) -> Option<String> {
    fault
        .field_errors()
        .first()
        .map(|error| error.message.clone())
}
