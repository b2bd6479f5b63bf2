//! `/setup/{token}`: creates the first administrator, by the one-time link from the log.

use actix_web::{HttpRequest, HttpResponse, web};

use super::new_account::{self, FIRST_ADMIN, NewAccountForm};
use super::sign_in;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::client::{RequestClient, visitor};
use crate::http::forms::PublicForm;
use crate::http::layout::see_other;
use crate::http::target::HOME;
use crate::people::{EmailTrust, Role, User};
use crate::sessions::SessionPersistence;

/// Shows the form.
///
/// # Errors
/// [`Error::NotFound`] when the link is closed or the token is not valid.
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
/// [`Error::NotFound`] when the link is closed or the token is not valid,
/// or there is an administrator already.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    token: web::Path<String>,
    RequestClient(client): RequestClient,
    form: PublicForm<NewAccountForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(form) => {
            app.setup.verify(&token).map_err(|_| Error::CsrfMismatch)?;
            return new_account::refused_form(&request, FIRST_ADMIN, &form);
        }
    };
    let created = match app.setup.verify(&token) {
        Ok(()) => create(&app, &request, &form).await,
        Err(err) => Err(err),
    };
    let created = match created {
        Err(err @ Error::NotFound) => find_created_before(&app, &request, &form).await?.ok_or(err),
        other => other,
    };
    match created {
        Ok(user) => {
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
        Err(err) => new_account::form_with_errors(&request, FIRST_ADMIN, &form, err).await,
    }
}

/// Creates the administrator, and closes the link.
async fn create(app: &AppState, request: &HttpRequest, form: &NewAccountForm) -> Result<User> {
    let account = form.account(Role::Admin, EmailTrust::Vouched)?;
    let user = app
        .people
        .create_first_admin(visitor(request)?, account)
        .await?;
    app.setup.close();
    Ok(user)
}

/// Returns the administrator whom the same form created in this browser, sent twice. While there is
/// none, a link that is not valid costs no hash.
async fn find_created_before(
    app: &AppState,
    request: &HttpRequest,
    form: &NewAccountForm,
) -> Result<Option<User>> {
    if !app.people.has_admin().await? {
        return Ok(None);
    }
    let found = new_account::find_made_before(app, request, form).await?;
    Ok(found.filter(|user| user.is_admin))
}
