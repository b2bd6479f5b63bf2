//! `/setup/{token}`: creates the first administrator, by the one-time link from the log.

use actix_web::{HttpRequest, HttpResponse, web};

use super::new_account::{self, FIRST_ADMIN, NewAccountForm};
use super::sign_in;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::target::HOME;
use crate::people::{EmailTrust, Role};
use crate::sessions::SessionPersistence;

/// Shows the form.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the link is closed or the token is not valid.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    app.setup.verify(&token)?;
    new_account::empty_form(&request, FIRST_ADMIN)
}

/// Creates the administrator, closes the link, and signs the administrator in.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the link is closed or the token is not valid,
/// or there is an administrator already.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    Form(form): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    app.setup.verify(&token)?;
    let registered = match form.account(Role::Admin, EmailTrust::Vouched) {
        Ok(account) => app.people.create_first_admin(account).await,
        Err(err) => Err(err),
    };
    match registered {
        Ok(user) => {
            app.setup.close();
            sign_in::start_session(
                &app,
                &request,
                &user,
                client,
                SessionPersistence::Standard,
                None,
            )
            .await?;
            Ok(see_other(HOME))
        }
        Err(err) => new_account::form_with_errors(&request, FIRST_ADMIN, &form, err),
    }
}
