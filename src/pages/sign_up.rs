//! `/sign-up`, which exists only where the setting `sign_up` enables it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::message::{Message, message_page};
use super::new_account::{self, NewAccountForm, SIGN_UP};
use super::sign_in;
use crate::account::SignedUp;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::MaybeCaller;
use crate::http::client::{RequestClient, visitor, visitor_origin};
use crate::http::compression::compress_page;
use crate::http::failed_form;
use crate::http::forms::PublicForm;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::requester::requester;
use crate::http::target::HOME;
use crate::people::{EmailTrust, Role};
use crate::sessions::SessionPersistence;
use crate::throttles::{Lane, Purpose};

/// Shows the form. A person who is signed in is redirected to *Your devices*.
pub async fn show(request: HttpRequest, MaybeCaller(caller): MaybeCaller) -> Result<HttpResponse> {
    match caller {
        _ if failed_form::shown(&request).is_some() => new_account::empty_form(&request, SIGN_UP),
        Some(_) => Ok(see_other(HOME)),
        None => Ok(compress_page(
            &request,
            new_account::empty_form(&request, SIGN_UP)?,
        )),
    }
}

/// Creates the account and signs the person in; where sign-in requires a verified e-mail, the page
/// says to look into the mailbox, whether the address had an account or not.
///
/// # Errors
/// [`Error::Busy`] when too many passwords wait to be hashed.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    form: PublicForm<NewAccountForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(form) => return new_account::refused_form(&request, SIGN_UP, &form),
    };
    let signed_up = sign_up(&app, &request, &form).await;
    match signed_up {
        Ok(SignedUp::AwaitsVerification) => check_mailbox(&request),
        Ok(SignedUp::Ready(user)) => {
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
            if app.accounts.sends_mail() && user.email_verified_at.is_none() {
                let signed_up = Notice::Account(user.id, AccountNotice::SignedUp);
                notice::put(&request, signed_up);
            }
            Ok(see_other(HOME))
        }
        Err(err) => new_account::form_with_errors(&request, SIGN_UP, &form, err).await,
    }
}

async fn sign_up(app: &AppState, request: &HttpRequest, form: &NewAccountForm) -> Result<SignedUp> {
    let account = form.account(Role::Person, EmailTrust::Unverified)?;
    // A password that is refused creates nothing, and is typed once more.
    app.people
        .verify_first_password(visitor(request)?, &account)
        .await?;
    let lane = Lane::SignUp(app.throttles.digest(account.email.as_str()));
    let requester = requester(request, None)?;
    app.throttles
        .count(Purpose::SignUp, &requester, lane)
        .await?;
    let hash = app
        .people
        .hash_first_password(visitor(request)?, &account)
        .await?;
    let origin = visitor_origin(request)?;
    match app.accounts.sign_up(account, hash, origin).await {
        Err(Error::EmailTaken) => new_account::find_made_before(app, request, form)
            .await?
            .map(|user| SignedUp::Ready(Box::new(user)))
            .ok_or(Error::EmailTaken),
        signed_up => signed_up,
    }
}

fn check_mailbox(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "Check your e-mail",
        words: vec![
            "An e-mail is on its way to the address that you entered. Open the link in it, then sign in."
                .into(),
            "No e-mail? Check your spam folder. An address gets only a few of these \
             messages an hour; “Forgotten your password?” sends another, with a link that verifies \
             it as well."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::OK, message)
}
