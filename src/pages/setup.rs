//! `/setup/{token}`: the first administrator, by the one-time link from the log.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::sign_in;
use super::sign_up::{AccountForm, FormErrors, NewAccountForm};
use crate::error::Result;
use crate::http::app::App;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::{Layout, page, see_other};
use crate::http::target::HOME;
use crate::people::{PlainPassword, Role};
use crate::sessions::Stay;

/// The form.
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    app.setup.check(&token)?;
    page(
        StatusCode::OK,
        &form(&request, "", "", FormErrors::default())?,
    )
}

/// Makes the administrator, signs them in, and closes the link for good.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(input): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    app.setup.check(&token)?;
    let registered = match input.account(Role::Admin) {
        Ok(account) => app.people.register_first_admin(account).await,
        Err(fault) => Err(fault),
    };
    match registered {
        Ok(user) => {
            app.setup.close();
            sign_in::open(&app, &request, &user, client, Stay::Brief, None).await?;
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
    request: &'a HttpRequest,
    full_name: &'a str,
    email: &'a str,
    errors: FormErrors,
) -> Result<AccountForm<'a>> {
    Ok(AccountForm {
        layout: Layout::anonymous(request)?,
        heading: "Make the first administrator",
        lead: "This page works once. Whoever you make here can see and end everybody’s sessions.",
        button: "Make the administrator",
        action: request.path(),
        full_name,
        email,
        least_password: PlainPassword::LEAST,
        errors,
        has_account_already: false,
    })
}
