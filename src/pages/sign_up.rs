//! `/sign-up`, which exists only where the setting `sign_up` enables it.

use actix_web::{HttpRequest, HttpResponse, web};

use super::new_account::{self, NewAccountForm, SIGN_UP};
use super::sign_in;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::target::HOME;
use crate::people::Role;
use crate::sessions::SessionPersistence;

/// Shows the form. A person who is signed in is redirected to *Your devices*.
pub async fn show(request: HttpRequest, MaybeCaller(caller): MaybeCaller) -> Result<HttpResponse> {
    match caller {
        Some(_) => Ok(see_other(HOME)),
        None => new_account::empty_form(&request, SIGN_UP),
    }
}

/// Creates the account and signs the person in.
///
/// # Errors
/// [`Error::Busy`](crate::Error::Busy) when too many passwords wait to be hashed.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    Form(form): Form<NewAccountForm>,
) -> Result<HttpResponse> {
    let registered = match form.account(Role::Person) {
        Ok(account) => app.people.create_user(account).await,
        Err(err) => Err(err),
    };
    match registered {
        Ok(user) => {
            let before = before.map(|caller| caller.session);
            sign_in::start_session(
                &app,
                &request,
                &user,
                client,
                SessionPersistence::Standard,
                before,
            )
            .await?;
            Ok(see_other(HOME))
        }
        Err(err) => new_account::form_with_errors(&request, SIGN_UP, &form, err),
    }
}
