//! `/demo/sign-in`: sign-in as one of the demo's people with one click. The route exists only in
//! `rollcall demo`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::go_on;
use super::sign_in::{self, refuse};
use crate::error::{Error, Result};
use crate::http::app_state::{AppState, SamplePerson};
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::PublicForm;
use crate::http::layout::see_other;
use crate::people::{AccountState, HashRequester, User};
use crate::sessions::SessionPersistence;

/// The form of `POST /demo/sign-in`.
#[derive(Deserialize)]
pub struct DemoForm {
    person: String,
    next: Option<String>,
}

/// Creates a session of a sample person in this browser.
///
/// # Errors
/// [`Error::NotFound`] for anybody but a sample person.
pub async fn sign_in(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    form: PublicForm<DemoForm>,
) -> Result<HttpResponse> {
    let PublicForm::Accepted(form) = form else {
        return Ok(see_other("/sign-in"));
    };
    let mut people = app.sample_people.iter();
    let person = people.find(|person| person.email() == form.person);
    let person = person.ok_or(Error::NotFound)?;
    let next = app.allowed_hosts.destination(form.next.as_deref());
    let user = match get_or_create(&app, person).await {
        Ok(user) if user.state() == AccountState::Active => user,
        Ok(_) => return refuse(&app, &request, next.as_str(), describe_disabled(person)),
        Err(Error::EmailTaken) => {
            return refuse(&app, &request, next.as_str(), describe_reserved(person));
        }
        Err(err) => return Err(err),
    };
    let persistence = SessionPersistence::Standard;
    let before = before.map(|caller| caller.session);
    sign_in::start_session(&app, &request, &user, client, persistence, before).await?;
    Ok(go_on::after_form(&next))
}

/// Returns the account of a sample person: a new one, without devices, if a visitor deleted it.
async fn get_or_create(app: &AppState, person: &SamplePerson) -> Result<User> {
    match app.people.get_by_email(person.account.email.clone()).await {
        Err(Error::NotFound) => {
            let account = person.account.clone();
            app.people
                .create_user(HashRequester::Service, account)
                .await
        }
        found => found,
    }
}

fn describe_disabled(person: &SamplePerson) -> String {
    let name = person.name();
    format!("{name}’s account is disabled. An administrator can enable it again.")
}

fn describe_reserved(person: &SamplePerson) -> String {
    let email = person.email();
    format!("{email} is reserved for an account that had it before. Sign in as somebody else.")
}
