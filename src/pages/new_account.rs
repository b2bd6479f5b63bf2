//! The form for a new account, which sign-up and the page for the first administrator share.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::failed_form::{self, FailedForm};
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::layout::Layout;
use crate::http::requester::requester;
use crate::people::{EmailTrust, FullName, NewAccount, NewPassword, PlainPassword, Role, User};

/// The texts of the form for one purpose.
pub(super) struct Purpose {
    heading: &'static str,
    lead: &'static str,
    button: &'static str,
    /// Whether its reader may have an account already, so that it offers sign-in.
    may_have_one: bool,
}

/// The account of anybody who signs up.
pub(super) const SIGN_UP: Purpose = Purpose {
    heading: "Create an account",
    lead: "Then you can see where you are signed in, and sign any device out.",
    button: "Create the account",
    may_have_one: true,
};

/// The account of the first administrator.
pub(super) const FIRST_ADMIN: Purpose = Purpose {
    heading: "Create the first administrator",
    lead: "This page works once. An administrator sees and ends everybody’s sessions, and adds, changes, disables and deletes accounts.",
    button: "Create the administrator",
    may_have_one: false,
};

/// The form of `POST /sign-up` and `POST /setup/{token}`.
#[derive(Default, Deserialize)]
pub struct NewAccountForm {
    full_name: String,
    email: String,
    password: String,
}

#[derive(Template)]
#[template(path = "pages/new_account.html")]
struct NewAccountPage<'a> {
    layout: Layout,
    purpose: Purpose,
    action: &'a str,
    full_name: &'a str,
    email: &'a str,
    min_password_chars: usize,
    errors: FieldErrors,
}

/// The error of each field.
#[derive(Default)]
struct FieldErrors {
    full_name: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

impl NewAccountForm {
    /// Returns the form that failed.
    fn of(failed: &FailedForm) -> Self {
        let value = |name| failed.value(name).unwrap_or_default().to_owned();
        Self {
            full_name: value("full_name"),
            email: value("email"),
            password: String::new(),
        }
    }

    /// Returns the account to be created.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every field that is not valid.
    pub(super) fn account(&self, role: Role, trust: EmailTrust) -> Result<NewAccount> {
        let full_name = FullName::parse(&self.full_name);
        let email = self.email.parse();
        let password = NewPassword::new("password", self.password.clone());
        match (full_name, email, password) {
            (Ok(full_name), Ok(email), Ok(password)) => Ok(NewAccount {
                email,
                trust,
                full_name,
                password,
                role,
            }),
            (full_name, email, password) => Err(Error::Invalid(
                [full_name.err(), email.err(), password.err()]
                    .iter()
                    .flatten()
                    .flat_map(|err| err.field_errors().to_vec())
                    .collect(),
            )),
        }
    }
}

/// Returns the account that the same form made in this browser, sent twice: this browser is signed
/// in to it, and the password is its own. `None` when somebody else has the e-mail.
///
/// # Errors
/// [`Error::Busy`] when too many passwords wait to be hashed.
pub(super) async fn find_made_before(
    app: &AppState,
    request: &HttpRequest,
    form: &NewAccountForm,
) -> Result<Option<User>> {
    let password = PlainPassword::claimed(form.password.clone());
    let requester = requester(request, None)?;
    let user = match app
        .accounts
        .sign_in(&app.people, (&requester, None), &form.email, password)
        .await
    {
        Err(Error::InvalidCredentials) => return Ok(None),
        user => user?,
    };
    let device = browser::device_id(request)?;
    let live = app.sessions.list_live(user.id).await?;
    let is_here = live
        .iter()
        .any(|session| session.device_id.as_deref() == Some(device.as_str()));
    Ok(is_here.then_some(user))
}

/// Returns a page with the form, empty or as it failed.
///
/// # Errors
/// [`Error::Internal`] when the page can't be rendered.
pub(super) fn empty_form(request: &HttpRequest, purpose: Purpose) -> Result<HttpResponse> {
    let failed = failed_form::shown(request);
    let form = failed
        .as_deref()
        .map_or_else(NewAccountForm::default, NewAccountForm::of);
    let none = FieldErrors::default();
    form_page(request, purpose, &form, StatusCode::OK, none)
}

/// Returns a page with a form that was refused, as it was submitted, except the password.
///
/// # Errors
/// [`Error::Internal`] when the page can't be rendered.
pub(super) fn refused_form(
    request: &HttpRequest,
    purpose: Purpose,
    form: &NewAccountForm,
) -> Result<HttpResponse> {
    let none = FieldErrors::default();
    form_page(request, purpose, form, StatusCode::FORBIDDEN, none)
}

/// Returns a page with the form as it was submitted, except the password, and its errors.
///
/// # Errors
/// `err` itself when it isn't about a field of the form; [`Error::Internal`] when the page can't be
/// rendered.
pub(super) async fn form_with_errors(
    request: &HttpRequest,
    purpose: Purpose,
    form: &NewAccountForm,
    err: Error,
) -> Result<HttpResponse> {
    if matches!(err, Error::TooManyTries { .. }) {
        let again = async || refused_form(request, purpose, form);
        return throttled_page(request, err, again).await;
    }
    let status = err.status_code();
    form_page(
        request,
        purpose,
        form,
        status,
        FieldErrors::from_error(err)?,
    )
}

fn form_page(
    request: &HttpRequest,
    purpose: Purpose,
    form: &NewAccountForm,
    status: StatusCode,
    errors: FieldErrors,
) -> Result<HttpResponse> {
    let mut layout = Layout::anonymous(request)?;
    layout.add_problem(("full_name", "Name"), errors.full_name.as_deref());
    layout.add_problem(("email", "E-mail"), errors.email.as_deref());
    layout.add_problem(("password", "Password"), errors.password.as_deref());
    let template = NewAccountPage {
        errors: FieldErrors {
            full_name: layout.problem_of("full_name"),
            email: layout.problem_of("email"),
            password: layout.problem_of("password"),
        },
        layout,
        purpose,
        action: request.path(),
        full_name: &form.full_name,
        email: &form.email,
        min_password_chars: NewPassword::MIN_CHARS,
    };
    failed_page(request, status, (&template, &template.layout), None)
}

impl FieldErrors {
    /// Returns the errors of the fields.
    ///
    /// # Errors
    /// `err` itself when it isn't about a field of the form.
    fn from_error(err: Error) -> Result<Self> {
        let message = |name: &str| {
            let mut errors = err.field_errors().iter();
            errors
                .find(|error| error.field == name)
                .map(|error| error.message.clone())
        };
        match &err {
            Error::Invalid(_) => Ok(Self {
                full_name: message("full_name"),
                email: message("email"),
                password: message("password"),
            }),
            Error::EmailTaken => Ok(Self {
                email: Some("already belongs to an account".into()),
                ..Self::default()
            }),
            _ => Err(err),
        }
    }
}
