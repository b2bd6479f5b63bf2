//! `/sign-up`, where it is switched on.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::sign_in;
use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, see_other};
use crate::http::target::HOME;
use crate::people::{FullName, NewAccount, PlainPassword, Role};
use crate::sessions::Stay;

/// The form of a new account; the first administrator's, too.
#[derive(Template)]
#[template(path = "pages/sign_up.html")]
pub(super) struct AccountForm<'a> {
    pub(super) layout: Layout,
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) button: &'static str,
    pub(super) action: &'a str,
    pub(super) full_name: &'a str,
    pub(super) email: &'a str,
    pub(super) least_password: usize,
    pub(super) errors: FormErrors,
    pub(super) has_account_already: bool,
}

/// What is wrong with each field.
#[derive(Default)]
pub(super) struct FormErrors {
    pub(super) full_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) password: Option<String>,
}

/// `POST /sign-up`, `POST /setup/{token}`
#[derive(Deserialize)]
pub struct NewAccountForm {
    pub(super) full_name: String,
    pub(super) email: String,
    password: String,
}

impl NewAccountForm {
    /// # Errors
    /// [`Error::Invalid`] naming every field that is wrong.
    pub(super) fn account(&self, role: Role) -> Result<NewAccount> {
        let full_name = FullName::parse(&self.full_name);
        let email = self.email.parse();
        let password = PlainPassword::new("password", self.password.clone());
        match (full_name, email, password) {
            (Ok(full_name), Ok(email), Ok(password)) => Ok(NewAccount {
                email,
                full_name,
                password,
                role,
            }),
            (full_name, email, password) => Err(Error::Invalid(
                [full_name.err(), email.err(), password.err()]
                    .iter()
                    .flatten()
                    .flat_map(|fault| fault.field_errors().to_vec())
                    .collect(),
            )),
        }
    }
}

impl FormErrors {
    /// The errors of `fault`, if the form can show them; else the fault again.
    pub(super) fn of(fault: Error) -> Result<Self> {
        let message = |name: &str| {
            let errors = fault.field_errors().iter();
            errors
                .filter(|e| e.field == name)
                .map(|e| e.message.clone())
                .next()
        };
        match &fault {
            Error::Invalid(_) => Ok(Self {
                full_name: message("full_name"),
                email: message("email"),
                password: message("password"),
            }),
            Error::EmailTaken => Ok(Self {
                email: Some("has an account already".into()),
                ..Self::default()
            }),
            _ => Err(fault),
        }
    }
}

/// The form.
pub async fn show(request: HttpRequest, MaybeCaller(caller): MaybeCaller) -> Result<HttpResponse> {
    if caller.is_some() {
        return Ok(see_other(HOME));
    }
    page(
        StatusCode::OK,
        &form(&request, "", "", FormErrors::default())?,
    )
}

/// Makes the account and signs it in.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    Form(input): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    let registered = match input.account(Role::Person) {
        Ok(account) => app.people.register(account).await,
        Err(fault) => Err(fault),
    };
    match registered {
        Ok(user) => {
            sign_in::open(
                &app,
                &request,
                &user,
                client,
                Stay::Brief,
                before.map(|caller| caller.session),
            )
            .await?;
            Ok(see_other(HOME))
        }
        Err(fault) => {
            let status = fault.status_code();
            page(
                status,
                &form(
                    &request,
                    &input.full_name,
                    &input.email,
                    FormErrors::of(fault)?,
                )?,
            )
        }
    }
}

fn form<'a>(
    request: &HttpRequest,
    full_name: &'a str,
    email: &'a str,
    errors: FormErrors,
) -> Result<AccountForm<'a>> {
    Ok(AccountForm {
        layout: Layout::anonymous(request)?,
        heading: "Make an account",
        lead: "Then you can see where you are signed in, and sign any device out.",
        button: "Make the account",
        action: "/sign-up",
        full_name,
        email,
        least_password: PlainPassword::LEAST,
        errors,
        has_account_already: true,
    })
}
